#include "fit/accumulate.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>

#include "fit/divided_row_sums.hpp"

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

bool is_kept(const RowSink& sink, std::int64_t number, const RowTargets& targets) {
  return !targets.value.empty() && sink.wants && sink.wants(number);
}

/// The sums of a pass, in this process alone or with others.
class PassSums {
 public:
  PassSums(RowSumRules rules, AccumulationCheckpoints& checkpoints, const ShowAtoms& show) : checkpoints_(checkpoints), show_(show) {
    const std::int64_t frames = checkpoints.resumed ? checkpoints.frames : 0;
    if (processes().size() > 1)
      divided_ = std::make_unique<DividedRowSums>(processes(), std::move(rules), checkpoints, frames);
    else
      own_ = std::make_unique<OwnRowSums>(std::move(rules));
    if (checkpoints.resumed) builder().resume(std::move(*checkpoints.resumed), frames);
  }

  void add(FrameRows frame) {
    if (divided_)
      divided_->add(std::move(frame), show_);
    else
      own_->add(std::move(frame), show_, [this] { save(false); });
  }
  void finish() { divided_ ? divided_->finish(show_) : own_->flush(show_); }
  /// After Interrupted.
  void save_interrupted() { divided_ ? divided_->save_interrupted() : save(true); }
  StatisticsBuilder& builder() { return divided_ ? divided_->builder() : own_->builder(); }
  PhaseTime rows_time() const { return divided_ ? divided_->rows_time() : own_->rows_time(); }

 private:
  void save(bool now) {
    if (checkpoints_.save) checkpoints_.save({builder().statistics(), builder().folded_frames()}, now);
  }

  AccumulationCheckpoints& checkpoints_;
  const ShowAtoms& show_;
  std::unique_ptr<OwnRowSums> own_;
  std::unique_ptr<DividedRowSums> divided_;
};

}  // namespace

Accumulation accumulate(const Dataset& data, AccumulationRules rules, AccumulationCheckpoints checkpoints,
                        const std::function<void(double atoms)>& show) {
  const Model& model = rules.model;
  const std::int64_t done = checkpoints.resumed ? checkpoints.frames : 0;
  PassSums sums({.terms = model.terms,
                 .factor = model.factor,
                 .groups = groups_of_folds(rules.regularization.groups(), rules.folds.folds()),
                 .groups_of_fold = static_cast<int>(rules.regularization.groups().size()),
                 .fingerprint = rules.fingerprint,
                 .has_prior = rules.has_prior,
                 .sink = rules.sink},
                checkpoints, show);
  const double cutoff = largest_cutoff(model.terms);
  const std::vector<std::int64_t>& fixed = rules.never_left_out;
  std::int64_t atoms = 0, index = 0;
  std::vector<NoiseRecord> noise;
  FrameSketch frames;
  try {
    data.visit([&](const Structure& given, const FramePlace& place) {
      if (rules.watch) rules.watch(given, place);
      atoms += given.size();
      const int own = rules.folds.next(given), folds = rules.folds.folds();
      const auto is_never_left_out = [&] {
        return std::binary_search(fixed.begin(), fixed.end(), place.number) || is_lone_atom(given, cutoff);
      };
      const int fold = folds > 1 && is_never_left_out() ? folds : own;
      count_noise(rules.regularization.rules(), given, noise);
      add_frame(frames, given);
      if (index++ < done) return;
      FrameRows frame{.structure = given, .number = place.number, .progress = static_cast<double>(atoms)};
      subtract_base(frame.structure, model.base, rules.regularization.rules().use);
      if (!model.baselines.empty()) subtract_potentials(model.baselines, frame.structure);
      frame.targets = targets_of_fold(frame.structure, rules, fold);
      frame.is_kept = is_kept(rules.sink, place.number, frame.targets);
      sums.add(std::move(frame));
    });
    sums.finish();
  } catch (const Interrupted&) {
    sums.save_interrupted();
    throw;
  }
  Accumulation result;
  result.statistics = sums.builder().finish();
  result.statistics.noise = std::move(noise);
  result.statistics.frames = std::move(frames);
  result.kernel_rows = sums.rows_time();
  result.whiten = sums.builder().whiten_time();
  result.gram = sums.builder().gram_time();
  return result;
}

}  // namespace gapkit
