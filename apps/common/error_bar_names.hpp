#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit::apps {

/// Asks for the error bars that --std names: energy, local, force, stress, comma-separated. Throws InputError for any other name.
void request_error_bars(const std::string& names, PredictionRequest& request);

}  // namespace gapkit::apps
