#pragma once

namespace gapkit {

/// CMakeLists.txt reads the project's version from this line.
inline constexpr const char* version = "0.1.0";

}  // namespace gapkit
