#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit::apps {

/// Puts a prediction beside what the frame holds, each target under the names of its sources after the prefix. `calibration`: what is said
/// about the error bars; empty if there are none.
void set_prediction_fields(Structure& frame, const Prediction& prediction, const std::string& calibration, const std::string& prefix);

}  // namespace gapkit::apps
