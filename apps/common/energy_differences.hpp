#pragma once

#include <gapkit/predict/predictor.hpp>
#include <optional>
#include <string>

#include "progress_display.hpp"

namespace gapkit::apps {

/// gap-predict --difference A B.
struct DifferenceArguments {
  std::string first, second;  ///< files of structures
  bool calibrated = true;
  std::optional<std::string> json;
};

/// Prints the energy of the second file's frame minus the first's, with its error bar, for each pair of frames.
/// Throws InputError if the files do not have the same number of frames.
void print_energy_differences(const DifferenceArguments& arguments, Predictor& predictor, ProgressDisplay& display);

}  // namespace gapkit::apps
