#pragma once

#include <sstream>
#include <string>
#include <vector>

namespace gapkit {

/// The fingerprint of a model's data lists those of its parts: the data of the fit and of every append, one after the other.
inline constexpr char between_parts = '+';

inline std::vector<std::string> parts_of_fingerprint(const std::string& fingerprint) {
  std::vector<std::string> parts;
  std::istringstream text(fingerprint);
  for (std::string part; std::getline(text, part, between_parts);) parts.push_back(part);
  return parts;
}

}  // namespace gapkit
