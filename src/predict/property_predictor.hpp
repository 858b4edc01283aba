#pragma once

#include <gapkit/model/field_values.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

class Covariance;
class TensorPredictors;

/// Predictions of the local properties and tensors of a model, with error bars.
class PropertyPredictors {
 public:
  explicit PropertyPredictors(const Model& model);
  ~PropertyPredictors();

  /// Fills Prediction::properties and Prediction::tensors if they are requested. Throws InputError for error bars of a property without
  /// posterior.
  void add(const Structure& structure, const PredictionRequest& request, Prediction& prediction);

 private:
  struct Entry;
  const Model& model_;
  std::vector<Entry> entries_;
  std::unique_ptr<TensorPredictors> tensors_;  // made when they are first requested
};

}  // namespace gapkit
