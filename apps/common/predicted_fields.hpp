#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit::apps {

/// Numbers of a matrix, row by row, as fields and columns of structures take them.
std::vector<double> as_list(const auto& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

/// Puts a prediction beside what the frame holds, each target under the names of its sources after the prefix. `calibration`: the
/// sentence about the error bars; empty if there are none.
void set_predicted_fields(Structure& frame, const Prediction& prediction, const std::string& calibration, const std::string& prefix);

/// For a frame whose prediction is not finite: removes the fields of earlier predictions, and sets PREFIXnot_finite = true.
void set_not_finite(Structure& frame, const std::string& prefix);

}  // namespace gapkit::apps
