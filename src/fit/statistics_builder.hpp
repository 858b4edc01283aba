#pragma once

#include <gapkit/core/phase_clock.hpp>
#include <gapkit/model/posterior.hpp>

#include "fit/kept_rows.hpp"

namespace gapkit {

/// Folds kernel rows into sufficient statistics, batch by batch (methods.md, section 4). Memory: two batches of rows and the statistics.
class StatisticsBuilder {
 public:
  /// `sink`: gets the whitened rows of the structures that are added with KeptRows.
  StatisticsBuilder(const SparseFactor& factor, const std::vector<RowGroup>& groups, std::string fingerprint, RowSink sink = {});
  /// Continues from the statistics of the first `frames` frames.
  void resume(SufficientStatistics statistics, std::int64_t frames);

  /// True if the rows fit into the current batch; else reserve() folds it in first.
  bool has_room(Eigen::Index rows) const { return used_ + rows <= capacity_; }
  /// Place for the next structure's kernel rows, [rows, M]. Call add() next; fill it before the batch is folded in.
  MatrixSlice reserve(Eigen::Index rows);
  /// The targets of the rows that reserve() gave out: one frame (which may have no row).
  /// prior: [rows, terms], the rows' prior variances, if they are wanted in the statistics (then for all frames).
  /// kept: goes to the sink once its rows are whitened.
  void add(const RowTargets& targets, const Matrix* prior = nullptr, std::optional<KeptRows> kept = {});
  /// Folds the current batch in.
  void flush();
  /// The statistics of everything added. The builder is empty afterwards.
  SufficientStatistics finish();

  /// Rows of a batch for M sparse points: enough for level-3 BLAS to run at full speed, and for threads to share structures evenly.
  static Eigen::Index batch_rows(Eigen::Index sparse_points);

  /// The statistics so far, and the number of their frames, without the rows of the current batch.
  const SufficientStatistics& statistics() const { return statistics_; }
  SufficientStatistics& statistics() { return statistics_; }
  std::int64_t folded_frames() const { return folded_frames_; }

  PhaseTime whiten_time() const { return whiten_time_; }
  PhaseTime gram_time() const { return gram_time_; }

 private:
  void add_to_sums(const std::vector<int>& order);
  void pass_on(const std::vector<int>& order);

  const SparseFactor& factor_;
  RowSink sink_;
  SufficientStatistics statistics_;
  Eigen::Index capacity_, used_ = 0;
  Matrix rows_;      // kernel rows as they come
  Matrix whitened_;  // the rows that count, sorted by group, times 1/h
  std::vector<double> value_, noise_scale_;
  std::vector<int> group_;
  std::vector<Vector> prior_;                            // of each row, or none
  std::vector<std::pair<Eigen::Index, KeptRows>> kept_;  // of this batch, with the place after their last row
  std::int64_t folded_frames_ = 0, added_frames_ = 0;
  PhaseTime whiten_time_, gram_time_;
};

}  // namespace gapkit
