#pragma once

#include <gapkit/fit/update.hpp>
#include <gapkit/io/look_alikes.hpp>

namespace gapkit {

/// append(); targets that were lost for their names are looked for only if there is something to look with.
std::int64_t append_frames(FittedModel& fitted, const Dataset& data, LookAlikes* look_alikes, const ProgressCallback& progress);

}  // namespace gapkit
