#include "fit/row_sums.hpp"

namespace gapkit {

OwnRowSums::OwnRowSums(RowSumRules rules)
    : rules_(std::move(rules)), builder_(rules_.factor, rules_.groups, rules_.fingerprint, rules_.sink), workers_(rules_.terms) {
  if (rules_.has_prior) prior_ = std::make_unique<Prior>(rules_.terms);
}

void OwnRowSums::add(FrameRows frame, const ShowAtoms& show, const std::function<void()>& before_rows) {
  const RowTargets& targets = frame.targets;
  const Eigen::Index count = frame.count();
  if (!builder_.has_room(count)) workers_.finish(show);
  const MatrixSlice rows = builder_.reserve(count);
  if (before_rows) before_rows();
  std::optional<PriorVariances> variances;
  if (prior_ && count > 0) {
    const StructureEnvironments environments(frame.structure, workers_.cutoff());
    variances = prior_->observables(environments.view(), frame.structure.size(), targets.wanted);
  }
  std::optional<KeptRows> kept;
  if (frame.is_kept) kept = KeptRows::of(frame.structure, frame.number, targets, rules_.groups_of_fold, rules_.sink.is_exact);
  builder_.add(targets, variances ? &variances->value : nullptr, std::move(kept));
  if (count > 0) workers_.add(std::move(frame.structure), targets.wanted, rows, frame.progress);
}

void OwnRowSums::flush(const ShowAtoms& show) {
  workers_.finish(show);
  builder_.flush();
}

}  // namespace gapkit
