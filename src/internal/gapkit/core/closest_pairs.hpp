#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <map>
#include <utility>

namespace gapkit {

/// The two atoms of a pair of elements that are closest to each other.
struct ClosestPair {
  int first = 0, second = 0;  ///< atom indices; equal for an atom and its own image
  double distance = 0;        ///< Å
  std::size_t images = 0;     ///< the most images of itself that one atom of the first element meets
};

/// By the atomic numbers of the pair, smaller first. Pairs of elements without neighbours are missing. Cost: one look at each pair.
std::map<std::pair<int, int>, ClosestPair> closest_pairs(const Environments& environments);
std::map<std::pair<int, int>, ClosestPair> closest_pairs(const Structure& structure, const NeighborList& list);

}  // namespace gapkit
