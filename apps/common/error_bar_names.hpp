#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit::apps {

/// The names for --std: one for each target, "local" in the second place, "extrapolation" last.
std::vector<std::string> error_bar_names();
/// The same for --help: "energy (of the frame, eV), local (energy of each atom, eV), …"
std::string error_bar_names_text();

/// Requests the error bars that --std names, comma-separated. Throws InputError for an unknown name.
void request_error_bars(const std::string& names, PredictionRequest& request);

}  // namespace gapkit::apps
