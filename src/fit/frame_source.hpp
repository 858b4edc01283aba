#pragma once

#include <functional>
#include <gapkit/core/structure.hpp>
#include <gapkit/io/targets.hpp>

#include "fit/findings.hpp"

namespace gapkit {

/// Where a frame stands.
struct FramePlace {
  int file = 0;             ///< index in the list of files
  int frame = 0;            ///< in its file, from 1
  std::int64_t number = 0;  ///< over all files, from 0
};

/// Reads all frames like for_each_frame, but takes every mistake down as a finding and goes on with the next frame, or with the next
/// file where the rest of a file cannot be read. InputErrors of `visit` are findings of that frame.
/// Returns the number of frames and files that were lost in this way.
std::int64_t read_frames(const std::vector<std::string>& files, const TargetKeys& keys, TargetReport* report, Findings& findings,
                         const std::function<void(const Structure&, const FramePlace&)>& visit);

}  // namespace gapkit
