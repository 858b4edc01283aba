#pragma once

#include <gapkit/model/field_values.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

class Covariance;

/// Predictions of the local properties of a model, with error bars.
class PropertyPredictors {
 public:
  explicit PropertyPredictors(const Model& model);
  ~PropertyPredictors();

  /// Fills Prediction::properties if they are requested. Throws InputError for error bars of a property without posterior.
  void add(const Structure& structure, const PredictionRequest& request, Prediction& prediction);

 private:
  struct Entry;
  std::vector<Entry> entries_;
};

}  // namespace gapkit
