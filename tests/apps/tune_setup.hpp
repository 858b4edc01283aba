#pragma once

#include <string>

#include "apps/workplace.hpp"

namespace gapkit::test {

/// The cutoff of soap is far too small: it does not reach the nearest neighbours of all atoms.
inline std::string poor_configuration(const std::string& more = "") {
  std::string text = small_configuration;
  const auto at = text.find("cutoff = 4.5");
  return text.replace(at, 12, "cutoff = 2.5") + more;
}

}  // namespace gapkit::test
