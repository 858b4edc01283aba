#pragma once

#include <gapkit/model/prior.hpp>
#include <memory>

#include "fit/accumulate.hpp"
#include "fit/row_workers.hpp"
#include "fit/statistics_builder.hpp"

namespace gapkit {

/// A frame whose rows are to be summed.
struct FrameRows {
  Structure structure = {};  ///< without base and baselines
  RowTargets targets = {};
  std::int64_t number = 0;  ///< in the data
  bool is_kept = false;     ///< its rows go to the sink
  double progress = 0;      ///< atoms of the data up to here

  Eigen::Index count() const { return static_cast<Eigen::Index>(targets.value.size()); }
};

/// Settings of a pass that sums rows.
struct RowSumRules {
  std::span<const Term> terms;
  const SparseFactor& factor;
  std::vector<RowGroup> groups;  ///< of all folds
  int groups_of_fold = 0;
  std::string fingerprint;
  bool has_prior = false;
  RowSink sink = {};
};

using ShowAtoms = std::function<void(double atoms)>;

/// Sums the kernel rows of frames in this process: rows, whitening, statistics.
class OwnRowSums {
 public:
  /// All that the rules refer to must outlive the object.
  explicit OwnRowSums(RowSumRules rules);

  /// Computes rows if a batch is full (`show`: RowWorkers::finish). `before_rows` is called once the frames before the current batch are in
  /// the statistics.
  void add(FrameRows frame, const ShowAtoms& show, const std::function<void()>& before_rows = {});
  /// Folds all frames that were added into the statistics.
  void flush(const ShowAtoms& show);
  StatisticsBuilder& builder() { return builder_; }
  PhaseTime rows_time() const { return workers_.time(); }

 private:
  RowSumRules rules_;
  StatisticsBuilder builder_;
  RowWorkers workers_;
  std::unique_ptr<Prior> prior_;
};

}  // namespace gapkit
