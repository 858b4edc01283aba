#include "fit/accumulate.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <gapkit/model/prior.hpp>

#include "fit/row_workers.hpp"
#include "fit/statistics_builder.hpp"

namespace gapkit {
namespace {

/// Targets of a frame, with the groups of its fold.
RowTargets targets_of_fold(const Structure& frame, const AccumulationRules& rules, int fold) {
  RowTargets targets = rules.regularization.row_targets(frame, rules.model.reference_energies);
  const int groups = static_cast<int>(rules.regularization.groups().size());
  for (int& group : targets.group)
    if (group != RowTargets::excluded) group += fold * groups;
  return targets;
}

/// A single atom without neighbours, whose energy is the zero of the others: left out, it would be an extrapolation that may hide all other
/// errors.
bool is_lone_atom(const Structure& frame, double cutoff) {
  return frame.size() == 1 && NeighborList(frame, cutoff).pair_count() == 0;
}

std::optional<KeptRows> kept_rows(const Structure& frame, std::int64_t number, const RowTargets& targets, const AccumulationRules& rules) {
  if (targets.value.empty() || !rules.sink.wants || !rules.sink.wants(number)) return std::nullopt;
  return KeptRows::of(frame, number, targets, static_cast<int>(rules.regularization.groups().size()), rules.sink.is_exact);
}

}  // namespace

Accumulation accumulate(const Dataset& data, AccumulationRules rules, AccumulationCheckpoints checkpoints,
                        const std::function<void(double atoms)>& show) {
  const Model& model = rules.model;
  StatisticsBuilder builder(model.factor, groups_of_folds(rules.regularization.groups(), rules.folds.folds()), rules.fingerprint,
                            rules.sink);
  if (checkpoints.resumed) builder.resume(std::move(*checkpoints.resumed), checkpoints.frames);
  const std::int64_t done = checkpoints.resumed ? checkpoints.frames : 0;
  RowWorkers workers(model.terms);
  std::optional<Prior> prior;
  if (rules.has_prior) prior.emplace(model.terms);
  const std::vector<std::int64_t>& fixed = rules.never_left_out;
  std::int64_t atoms = 0, index = 0;
  std::vector<NoiseRecord> noise;
  FrameSketch frames;
  const auto save = [&](bool now) {
    if (checkpoints.save) checkpoints.save({builder.statistics(), builder.folded_frames()}, now);
  };
  try {
    data.visit([&](const Structure& given, const FramePlace& place) {
      if (rules.watch) rules.watch(given, place);
      atoms += given.size();
      const int own = rules.folds.next(given), folds = rules.folds.folds();
      const auto is_never_left_out = [&] {
        return std::binary_search(fixed.begin(), fixed.end(), place.number) || is_lone_atom(given, workers.cutoff());
      };
      const int fold = folds > 1 && is_never_left_out() ? folds : own;
      count_noise(rules.regularization.rules(), given, noise);
      add_frame(frames, given);
      if (index++ < done) return;
      Structure s = given;
      subtract_base(s, model.base, rules.regularization.rules().use);
      if (!model.baselines.empty()) subtract_potentials(model.baselines, s);
      const RowTargets targets = targets_of_fold(s, rules, fold);
      const auto count = static_cast<Eigen::Index>(targets.value.size());
      if (!builder.has_room(count)) workers.finish(show);
      const MatrixSlice rows = builder.reserve(count);
      save(false);
      std::optional<PriorVariances> variances;
      if (prior && count > 0) {
        const StructureEnvironments environments(s, workers.cutoff());
        variances = prior->observables(environments.view(), s.size(), targets.wanted);
      }
      builder.add(targets, variances ? &variances->value : nullptr, kept_rows(s, place.number, targets, rules));
      if (count > 0) workers.add(std::move(s), targets.wanted, rows, static_cast<double>(atoms));
    });
    workers.finish(show);
  } catch (const Interrupted&) {
    save(true);
    throw;
  }
  Accumulation result;
  result.statistics = builder.finish();
  result.statistics.noise = std::move(noise);
  result.statistics.frames = std::move(frames);
  result.kernel_rows = workers.time();
  result.whiten = builder.whiten_time();
  result.gram = builder.gram_time();
  return result;
}

}  // namespace gapkit
