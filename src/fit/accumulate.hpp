#pragma once

#include <functional>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/core/progress.hpp>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/model/model.hpp>

#include "fit/folds.hpp"
#include "fit/kept_rows.hpp"

namespace gapkit {

/// All that the statistics of frames depend on.
struct AccumulationRules {
  const Model& model;  ///< its terms with their factor, reference energies and baselines
  const Regularization& regularization;
  FoldAssigner folds;
  std::vector<std::int64_t> never_left_out = {};  ///< numbers of frames, ascending: in no fold
  std::string fingerprint;                        ///< of the statistics
  bool has_prior = false;                         ///< with the prior variances of the rows
  Dataset::Visitor watch = {};                    ///< gets every frame first
  RowSink sink = {};                              ///< gets whitened rows
};

/// State of the statistics for checkpoints.
struct AccumulationState {
  const SufficientStatistics& statistics;
  std::int64_t frames = 0;  ///< folded into them
};

/// How an interrupted pass continues.
struct AccumulationCheckpoints {
  std::optional<SufficientStatistics> resumed;  ///< of the first `frames` frames
  std::int64_t frames = 0;
  std::function<void(const AccumulationState& state, bool now)> save;  ///< called between batches; `now`: before Interrupted is thrown on
  std::function<bool()> is_due = {};  ///< whether `save` would save, for passes in several processes, whose sums it costs to collect
};

struct Accumulation {
  SufficientStatistics statistics;
  PhaseTime kernel_rows, whiten, gram;
};

/// Folds frames into statistics: targets, kernel rows, whitening, sums (methods.md, sections 3 and 4). One pass; frames that are in resumed
/// statistics are only counted. `show` gets the number of atoms that are done.
Accumulation accumulate(const Dataset& data, AccumulationRules rules, AccumulationCheckpoints checkpoints,
                        const std::function<void(double atoms)>& show);

}  // namespace gapkit
