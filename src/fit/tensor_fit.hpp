#pragma once

#include <gapkit/fit/fit.hpp>
#include <gapkit/model/tensor_model.hpp>

namespace gapkit {

struct FittedTensors {
  std::vector<std::shared_ptr<const FittedTensor>> tensors;
  std::vector<TensorReport> reports;
};

/// Fits the tensors of the options: four passes over the frames with labels, and one over a sample for the calibration. Memory does not
/// grow with the number of frames (methods.md, section 10).
/// `properties`: fitted before, for tensors with charges.
FittedTensors fit_tensors(const Dataset& training, const FitOptions& options, std::span<const FittedProperty> properties,
                          const ProgressCallback& progress);

/// Adds the frames of more data to the tensors of a model, with their points, σ, δ and baseline: equal to a fit to all data with these.
/// Calibrations are kept. Frames without labels of a tensor leave it as it is. Throws InputError for an element without data of a tensor.
void append_tensors(Model& model, const Dataset& data, const ProgressCallback& progress);

/// Mistakes in the labels, as findings.
std::vector<CheckFinding> check_tensors(const Dataset& training, const FitOptions& options);

}  // namespace gapkit
