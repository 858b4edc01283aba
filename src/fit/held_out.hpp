#pragma once

#include <functional>
#include <gapkit/core/structure.hpp>
#include <gapkit/fit/update.hpp>

namespace gapkit {

/// The options with left_out filled if the configuration sets structures aside for the calibration, and with keys that know what is used.
/// Throws InputError if something in the configuration counts environments of all structures, or if nothing can be set aside.
FitOptions with_held_out(const FitOptions& options);

bool is_left_out(const FitOptions& options, std::int64_t number);

/// The training frames but those left out. `number` counts all, `index` the visited ones.
void for_each_training_frame(const FitOptions& options,
                             const std::function<void(const Structure& frame, std::int64_t number, std::int64_t index)>& visit);

/// Goes through some frames, one in memory at a time, as often as it is called.
using FrameSource = std::function<void(const std::function<void(const Structure&)>& visit)>;

/// Adds the frames of a source to the statistics and solves again; see append().
std::int64_t append_frames(FittedModel& fitted, const FrameSource& frames, const ProgressCallback& progress);

struct RoundTimes {
  double elapsed = 0;   ///< s, since the fit began
  double expected = 0;  ///< s, of a further round
};

/// Calibrates the error bars as options.calibration says; structures that were left out are added to the data afterwards.
void calibrate_fit(FittedModel& fitted, const FitOptions& options, const RoundTimes& times, const ProgressCallback& progress);

}  // namespace gapkit
