#pragma once

#include <gapkit/model/posterior.hpp>

#include "fit/row_targets.hpp"

namespace gapkit {

/// Folds kernel rows into sufficient statistics, batch by batch (METHODS 3, 4). Memory: two batches of rows and the statistics.
class StatisticsBuilder {
 public:
  StatisticsBuilder(const SparseFactor& factor, const std::vector<RowGroup>& groups, std::string fingerprint);
  /// Continues from the statistics of the first `frames` frames.
  void resume(SufficientStatistics statistics, std::int64_t frames);

  /// Place for the next structure's kernel rows, [rows, M]; fill it, then call add().
  MatrixSlice reserve(Eigen::Index rows);
  /// Takes the rows that reserve() gave out, with their targets: one frame (which may have no row).
  /// prior: [rows, terms], the rows' prior variances, if they are wanted in the statistics (then for all frames).
  void add(const RowTargets& targets, const Matrix* prior = nullptr);
  /// The statistics of everything added. The builder is empty afterwards.
  SufficientStatistics finish();

  /// Rows of a batch for M sparse points: enough for level-3 BLAS to run at full speed.
  static Eigen::Index batch_rows(Eigen::Index sparse_points);

  /// What has been folded in so far, and how many frames that is; rows of the current batch are not in it.
  const SufficientStatistics& statistics() const { return statistics_; }
  std::int64_t folded_frames() const { return folded_frames_; }

  double whiten_seconds() const { return whiten_seconds_; }
  double gram_seconds() const { return gram_seconds_; }

 private:
  void flush();

  const SparseFactor& factor_;
  SufficientStatistics statistics_;
  Eigen::Index capacity_, used_ = 0;
  Matrix rows_;      // kernel rows as they come
  Matrix whitened_;  // the rows that count, sorted by group, times 1/h
  std::vector<double> value_, scale_;
  std::vector<int> group_;
  std::vector<Vector> prior_;  // of each row, or none
  std::int64_t folded_frames_ = 0, added_frames_ = 0;
  double whiten_seconds_ = 0, gram_seconds_ = 0;
};

}  // namespace gapkit
