#pragma once

#include <gapkit/active/options.hpp>
#include <gapkit/model/model.hpp>

#include "active/loop_folder.hpp"

namespace gapkit {

/// The model of a round and facts about its fit.
struct RoundModel {
  std::shared_ptr<const Model> model;
  std::int64_t frames = 0, sparse_points = 0;
  bool appended = false;
  double seconds = 0;
  PerTarget<double> rmse;  ///< in TargetInfo::shown.error_unit; NaN without validation
};

/// Fits the model of the round after the finished ones, or loads it if its file exists.
///
/// Round 0: the training files. Later, every growth.every rounds: all data, with the sparse points of the previous round and new ones.
/// In other rounds: adds the labels of the last round to the statistics.
RoundModel model_of_round(const LoopOptions& options, const LoopFolder& folder, const ProgressCallback& progress);

/// Sparse points per combination of a term after `labels` labels.
int grown(int n_sparse, int labels, const GrowthOptions& growth);

/// Errors before the first round: each half of the training frames, predicted by a model of the other half. Empty with too few frames
/// or if a half cannot be fitted.
std::vector<CalibrationPoint> first_points(const LoopOptions& options, const LoopFolder& folder, const ProgressCallback& progress);

/// Errors on a labelled structure of a model that was not fitted to it. `energy_error`: eV/atom, NaN without an energy.
CalibrationPoint point_of(Predictor& predictor, const Structure& labelled, ThresholdOptions::Quantity quantity,
                          double* energy_error = nullptr);

}  // namespace gapkit
