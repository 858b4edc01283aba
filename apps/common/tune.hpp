#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <nlohmann/json.hpp>

#include "progress_display.hpp"

namespace gapkit::apps {

/// gap-fit --tune: a search for the settings of a fit.
struct TuneRequest {
  FitConfiguration start;         ///< the search begins here
  const FitFiles& files;          ///< of the start
  double seconds = 0;             ///< for the search and the fit of all data with the chosen settings
  std::vector<std::string> kept;  ///< --keep
  bool is_automatic = false;      ///< the start was chosen for the data, with numbers of sparse points that depend on the time
  const Stopwatch& stopwatch;     ///< of the program
};

struct TuneResult {
  FitConfiguration options;     ///< of the fit of all data
  std::string text;             ///< tables of the trials and the choice
  nlohmann::ordered_json json;  ///< for --json
  std::string page;             ///< file with figures
  double seconds_before = 0;    ///< of earlier runs of the same search
};

/// Share of the time that the last fit of an automatic start may take.
inline constexpr double share_of_last_fit = 0.35;

/// Files that the search leaves beside the model: results and figures.
std::string tune_results_path(const std::string& model_path);
std::string tune_page_path(const std::string& model_path);

/// Searches until the time is over, all but the estimated time of the last fit, or until nothing is gained. Results of an earlier,
/// interrupted search for the same data and options are used, and the time that they took counts. Throws InputError if the time is too
/// short.
TuneResult tune(const TuneRequest& request, ProgressDisplay& display);

}  // namespace gapkit::apps
