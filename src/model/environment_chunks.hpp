#pragma once

#include <gapkit/core/neighbor_list.hpp>

namespace gapkit {

/// End of the longest range of centres from `begin` that holds at most `pairs` pairs, but at least one centre. Depends on sizes only,
/// never on the number of threads.
inline int chunk_end(const Environments& environments, int begin, std::size_t pairs) {
  int end = begin + 1;
  const std::size_t limit = environments.begin[static_cast<std::size_t>(begin)] + pairs;
  while (end < environments.size() && environments.begin[static_cast<std::size_t>(end) + 1] <= limit) ++end;
  return end;
}

}  // namespace gapkit
