#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit::apps {

/// What --std understands: those of the targets, and that of the shares of the energy, which comes second.
std::vector<std::string> error_bar_names();
/// The same for its help: "energy (of the frame, eV), local (energy of each atom, eV), …"
std::string error_bar_names_text();

/// Asks for the error bars that --std names, comma-separated. Throws InputError for a name that is none.
void request_error_bars(const std::string& names, PredictionRequest& request);

}  // namespace gapkit::apps
