#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/core/progress.hpp>

namespace gapkit {

/// Summary of one round: model, proposals, labels.
struct RoundSummary {
  int round = 0;
  int labels = 0;  ///< of all earlier rounds
  std::int64_t frames = 0;
  std::int64_t sparse_points = 0;
  bool appended = false;            ///< labels were added to the statistics, without a pass over all data
  double fit_seconds = 0;           ///< of the pass or the update
  PerTarget<double> rmse;           ///< on the validation files, in TargetInfo::shown.error_unit; NaN without them
  double threshold = 0, upper = 0;  ///< in the unit of the quantity
  double a = 1, b = 1;              ///< from the errors of labelled structures: std² = a² epistemic + b² noise
  int proposed = 0, chosen = 0, labelled = 0, failed = 0;
  double largest_std = 0;        ///< found by the sources
  double label_force_rmse = 0;   ///< of the round's model on the round's labels, eV/Å; NaN without labels
  double label_energy_rmse = 0;  ///< meV/atom
  double seconds = 0;            ///< of the round
  std::string sources;           ///< JSON, Source::summary() of each source
};

struct LoopResult {
  enum class End { quiet, labels, rounds, wall_time };
  End end = End::quiet;
  std::string reason;  ///< a sentence
  std::vector<RoundSummary> rounds;
  std::filesystem::path model;     ///< of the last round
  std::filesystem::path labelled;  ///< labelled structures
};

using RoundCallback = std::function<void(const RoundSummary&)>;

/// Runs a learning loop until a goal is reached: fit, propose, choose, label, and again (docs/active-learning.md).
///
/// Saves each step in options.folder before the next begins. After a crash or an Interrupted from `progress` the same call continues and
/// gives the same labelled structures as an uninterrupted loop. Throws InputError if the folder belongs to a loop with another
/// configuration (except goals) or is in use by another process, or if all labels of a round fail.
LoopResult run_loop(const LoopOptions& options, const ProgressCallback& progress = {}, const RoundCallback& round_done = {});

}  // namespace gapkit
