#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace gapkit::apps {

/// "1 frame", "3 frames"
inline std::string plural(std::int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// "8.3 s", "15 min", "2.5 h"
inline std::string duration(double seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace gapkit::apps
