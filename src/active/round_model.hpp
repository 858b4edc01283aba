#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/model/model.hpp>

#include "active/loop_folder.hpp"

namespace gapkit {

/// The model of a round and how it came to be.
struct RoundModel {
  std::shared_ptr<const Model> model;
  std::int64_t frames = 0, sparse_points = 0;
  bool appended = false;
  double seconds = 0;
  PerTarget<double> rmse;  ///< in TargetInfo::shown.error_unit; NaN without validation
};

/// Fits the model of the round that comes after those that are finished, or loads it if that was done before.
///
/// Round 0: the training files. Later, every growth.every rounds: all data, with more sparse points beside those of the round before.
/// In between: the labels of the last round are added to the statistics.
RoundModel model_of_round(const LoopOptions& options, const LoopFolder& folder, const ProgressCallback& progress);

/// Sparse points per combination that a term has after so many labels.
int grown(int n_sparse, int labels, const GrowthOptions& growth);

/// Errors seen before the loop begins: the training frames in two halves, each predicted by a model of the other. Empty if there are too
/// few frames, or a half cannot be fitted.
std::vector<CalibrationPoint> first_points(const LoopOptions& options, const LoopFolder& folder, const ProgressCallback& progress);

/// What is seen of a labelled structure with a model that does not know the label.
CalibrationPoint point_of(Predictor& predictor, const Structure& labelled, ThresholdOptions::Quantity quantity,
                          double* energy_error = nullptr);

}  // namespace gapkit
