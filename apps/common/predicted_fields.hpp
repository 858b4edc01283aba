#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit::apps {

/// Numbers of a matrix, row by row, for fields and columns of structures.
std::vector<double> as_list(const auto& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// Adds a prediction to the fields of a frame, each target under the names of its sources after the prefix. `calibration`:
/// calibration_state(); empty without error bars.
void set_predicted_fields(Structure& frame, const Prediction& prediction, const std::string& calibration, const std::string& prefix);

/// For a frame whose prediction is not finite: removes the fields of earlier predictions and sets PREFIXnot_finite = true.
void set_not_finite(Structure& frame, const Model& model, const std::string& prefix);

}  // namespace gapkit::apps
