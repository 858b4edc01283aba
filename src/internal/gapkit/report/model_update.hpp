#pragma once

#include <functional>
#include <gapkit/fit/update.hpp>
#include <gapkit/report/error_table.hpp>

namespace gapkit {

/// How a model changes without its data: frames are added, models are merged, then it is solved with new σ and δ.
struct ModelUpdate {
  /// A model whose data are added.
  struct Other {
    std::string name;  ///< for messages
    std::function<FittedModel()> load;
  };

  const Dataset* appended = nullptr;    ///< frames to add, with their targets
  std::vector<Other> merged;            ///< loaded one after the other
  RefitOptions refit;                   ///< no σ, no δ and no objective: all stay as they are
  const Dataset* training = nullptr;    ///< all data of the new model: a new calibration of the error bars
  std::string training_option;          ///< how the user names these data, for messages
  std::optional<bool> cautious;         ///< of the new calibration from `training`; default: as it was
  double memory = 4;                    ///< GB, of this calibration
  const Dataset* validation = nullptr;  ///< never fitted: errors, and a new calibration of the error bars without `training`
  std::string validation_option;        ///< how the user names these data, for messages
};

struct ModelUpdateReport {
  OptimizationReport optimization;
  ErrorTable validation;               ///< empty without validation data
  std::vector<CheckFinding> findings;  ///< on the labels of the new frames
  std::int64_t rows_before = 0, rows_added = 0, frames_added = 0;
};

/// Notes of the model follow. Frames are read with the names of fitted.stored.rules.keys. Throws InputError as append(), merge() and
/// refit() do.
ModelUpdateReport update_model(FittedModel& fitted, const ModelUpdate& update, const ProgressCallback& progress = {});

}  // namespace gapkit
