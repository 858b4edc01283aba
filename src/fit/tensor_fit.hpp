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
FittedTensors fit_tensors(const Dataset& training, const FitOptions& options, const ProgressCallback& progress);

/// Mistakes in the labels, as findings.
std::vector<CheckFinding> check_tensors(const Dataset& training, const FitOptions& options);

}  // namespace gapkit
