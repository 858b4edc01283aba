#pragma once

#include <gapkit/fit/update.hpp>
#include <gapkit/io/look_alikes.hpp>
#include <optional>

#include "fit/frame_sample.hpp"

namespace gapkit {

/// Optional results of the two passes over new frames.
struct AppendRecord {
  LookAlikes* look_alikes = nullptr;             ///< gets all frames; append_frames() then reports targets that were lost for their names
  TargetReport* targets = nullptr;               ///< counts the keys
  std::optional<FrameSample>* sample = nullptr;  ///< becomes a sample of the frames
  bool is_set_aside = false;                     ///< the frames come from the data of the fit, which may have some twice
};

/// append() without findings. Returns the number of frames.
std::int64_t append_frames(FittedModel& fitted, const Dataset& data, const AppendRecord& record, const ProgressCallback& progress);

}  // namespace gapkit
