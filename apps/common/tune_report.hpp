#pragma once

#include "tune_trials.hpp"

namespace gapkit::apps {

/// A finished search, for its tables and figures.
struct TuneSummary {
  const std::vector<Knob>& knobs;
  const TrialFile& file;
  const TrialJudge& judge;
  const Trial& start;  ///< at the level of `chosen`, or below if it has none there
  const Trial& chosen;
  const std::vector<const Trial*>& path;        ///< the best trials up to then, in order
  const std::vector<std::string>& left_out;     ///< sentences on trials that were left out
  std::string model;                            ///< path
  std::string end;                              ///< why the search ended
  double allowed = 0, spent = 0, last_fit = 0;  ///< s: of all, of the search, estimated for the last fit
};

/// "cutoff 5.5, l_max 6": differences from the start of the search; "start" if there are none.
std::string settings_text(const std::vector<Knob>& knobs, const std::vector<double>& values);
/// "energy 0.0312 eV/√N, force 0.0811 eV/Å": errors on left-out folds.
std::string fold_errors_text(const Trial& trial);

std::string tune_text(const TuneSummary& summary);
nlohmann::ordered_json tune_json(const TuneSummary& summary);
/// HTML: errors against cost, course of the search, effect of each setting, table of all trials.
std::string tune_page(const TuneSummary& summary);

}  // namespace gapkit::apps
