#pragma once

#include <gapkit/model/charge_dipole.hpp>
#include <gapkit/model/tensor_kernel.hpp>
#include <gapkit/predict/predictor.hpp>
#include <list>

#include "predict/charge_bars.hpp"

namespace gapkit {

/// Predictions of the tensors of a model, with their covariances.
class TensorPredictors {
 public:
  explicit TensorPredictors(const Model& model);

  /// Fills Prediction::tensors if they are requested. Throws InputError for elements that a tensor does not know, and for dipoles of
  /// charged structures if the fit named no origin.
  void add(const Structure& structure, const PredictionRequest& request, Prediction& prediction);

 private:
  struct Entry {
    Entry(std::shared_ptr<const FittedTensor> given, std::span<const FittedProperty> properties);
    TensorPrediction compute(const Structure& structure, const PredictionRequest& request);
    void add_charges(const Structure& structure, const PredictionRequest& request, TensorPrediction& result);
    void check(const Structure& structure) const;

    std::shared_ptr<const FittedTensor> tensor;
    std::shared_ptr<const ChargeDipole> charges;  // null: none
    std::shared_ptr<const Model> charge_model;
    std::unique_ptr<ChargeBars> charge_bars = {};  // made for the first covariance
    std::list<TensorKernel> kernels;               // of the parts
  };
  std::list<Entry> entries_;
};

/// Covariances of the spherical components of each row block of a structure, [R] of [2λ+1, 2λ+1]: without noise and calibration.
std::vector<Matrix> tensor_covariances(const TensorPart& part, const TensorKernel& kernel,
                                       const std::vector<TensorEnvironments>& environments, int atoms);

}  // namespace gapkit
