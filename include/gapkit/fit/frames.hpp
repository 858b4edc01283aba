#pragma once

#include <functional>
#include <gapkit/core/structure.hpp>
#include <gapkit/io/targets.hpp>

namespace gapkit {

/// Streams the frames of several extended-XYZ files, one in memory at a time, with their targets assigned.
/// `visit` gets each frame and its number over all files, from 0.
void for_each_frame(const std::vector<std::string>& files, const TargetKeys& keys, TargetReport* report,
                    const std::function<void(const Structure& frame, std::int64_t number)>& visit);

}  // namespace gapkit
