#include <algorithm>
#include <gapkit/core/closest_pairs.hpp>
#include <limits>
#include <numeric>

namespace gapkit {

std::map<std::pair<int, int>, ClosestPair> closest_pairs(const Environments& environments) {
  constexpr double far = std::numeric_limits<double>::infinity();
  std::vector<int> elements(environments.atomic_number.begin(), environments.atomic_number.end());
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  std::vector<std::size_t> kind;  // of each atom: the place of its element
  kind.reserve(environments.atomic_number.size());
  for (const int z : environments.atomic_number)
    kind.push_back(static_cast<std::size_t>(std::lower_bound(elements.begin(), elements.end(), z) - elements.begin()));

  std::vector<ClosestPair> table(elements.size() * elements.size(), {0, 0, far, 0});
  for (std::size_t c = 0; c < environments.centre.size(); ++c) {
    const int centre = environments.centre[c];
    const std::size_t own = kind[static_cast<std::size_t>(centre)];
    ClosestPair* row = &table[own * elements.size()];
    std::size_t images = 0;
    for (std::size_t p = environments.begin[c]; p < environments.begin[c + 1]; ++p) {
      const int neighbor = environments.neighbor[p];
      images += neighbor == centre;
      ClosestPair& closest = row[kind[static_cast<std::size_t>(neighbor)]];
      if (!(environments.distance[p] < closest.distance)) continue;
      closest.first = centre;
      closest.second = neighbor;
      closest.distance = environments.distance[p];
    }
    row[own].images = std::max(row[own].images, images);
  }

  std::map<std::pair<int, int>, ClosestPair> result;
  for (std::size_t a = 0; a < elements.size(); ++a)
    for (std::size_t b = a; b < elements.size(); ++b) {
      const ClosestPair &one = table[a * elements.size() + b], &other = table[b * elements.size() + a];
      const ClosestPair& closest = other.distance < one.distance ? other : one;
      if (closest.distance < far) result[{elements[a], elements[b]}] = closest;
    }
  return result;
}

std::map<std::pair<int, int>, ClosestPair> closest_pairs(const Structure& structure, const NeighborList& list) {
  std::vector<int> centre(structure.atomic_numbers.size());
  std::iota(centre.begin(), centre.end(), 0);
  return closest_pairs({centre, structure.atomic_numbers, list.begin(), list.index(), list.vector(), list.distance(), list.cutoff()});
}

}  // namespace gapkit
