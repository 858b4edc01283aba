#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/core/progress.hpp>

namespace gapkit {

/// What happened in one round: model, proposals, labels.
struct RoundSummary {
  int round = 0;
  int labels = 0;  ///< learnt in all rounds before this one
  std::int64_t frames = 0;
  std::int64_t sparse_points = 0;
  bool appended = false;            ///< the model's statistics were updated; no pass over all data
  double fit_seconds = 0;           ///< of the pass or the update
  PerTarget<double> rmse;           ///< on the validation files, in TargetInfo::shown.error_unit; NaN without them
  double threshold = 0, upper = 0;  ///< in the unit of the quantity
  double a = 1, b = 1;              ///< errors seen so far: std² = a² epistemic + b² noise
  int proposed = 0, chosen = 0, labelled = 0, failed = 0;
  double largest_std = 0;        ///< that the sources have seen
  double label_force_rmse = 0;   ///< of this round's model on this round's labels, eV/Å; NaN without labels
  double label_energy_rmse = 0;  ///< meV/atom
  double seconds = 0;            ///< of the round
  std::string sources;           ///< JSON, what each source says of itself
};

struct LoopResult {
  enum class End { quiet, labels, rounds, wall_time };
  End end = End::quiet;
  std::string reason;  ///< a sentence
  std::vector<RoundSummary> rounds;
  std::filesystem::path model;     ///< of the last round
  std::filesystem::path labelled;  ///< the structures that were labelled
};

using RoundCallback = std::function<void(const RoundSummary&)>;

/// Runs a learning loop until a goal is reached: fit, propose, choose, label, and again (docs/active-learning.md).
///
/// Everything is kept in options.folder, each step written before the next begins, so that the same call goes on after a crash or an
/// Interrupted of `progress`, and ends with the same labelled structures as if nothing had happened. Throws InputError if the folder
/// belongs to a loop of another configuration (goals aside), is used by another process, or if all labels of a round fail.
LoopResult run_loop(const LoopOptions& options, const ProgressCallback& progress = {}, const RoundCallback& round_done = {});

}  // namespace gapkit
