#pragma once

#include <string>
#include <vector>

namespace gapkit {

/// Values of CompressionOptions::kind: "none", then the lines of the table of compressions.
std::vector<std::string> compression_names();

/// Fewest features of a descriptor whose terms may have a compression.
inline constexpr int fewest_compressed_features = 8;

}  // namespace gapkit
