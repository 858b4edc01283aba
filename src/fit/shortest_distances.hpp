#pragma once

#include <algorithm>
#include <gapkit/core/closest_pairs.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Atoms in one place teach nothing that could be compared with, so a distance of 0 is left out.
inline void keep_shorter(ShortestDistances& shortest, const std::pair<int, int>& elements, double distance) {
  if (!(distance > 0)) return;
  const auto [entry, is_new] = shortest.try_emplace(elements, distance);
  if (!is_new) entry->second = std::min(entry->second, distance);
}

inline void keep_shorter(ShortestDistances& shortest, const std::map<std::pair<int, int>, ClosestPair>& pairs) {
  for (const auto& [elements, pair] : pairs) keep_shorter(shortest, elements, pair.distance);
}

}  // namespace gapkit
