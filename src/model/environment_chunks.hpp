#pragma once

#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {

/// End of the longest range of centres from `begin` that holds at most `pairs` pairs, but at least one centre. Depends on sizes only,
/// never on the number of threads.
inline int chunk_end(const Environments& environments, int begin, std::size_t pairs) {
  int end = begin + 1;
  const std::size_t limit = environments.begin[static_cast<std::size_t>(begin)] + pairs;
  while (end < environments.size() && environments.begin[static_cast<std::size_t>(end) + 1] <= limit) ++end;
  return end;
}

/// About how many environments of a descriptor a centre has at most: of triplets, half the square of its neighbours inside the cutoff; of
/// all others, as many as pairs.
inline std::size_t most_environments(const Environments& environments, const Descriptor& descriptor, int centre) {
  const std::size_t first = environments.begin[static_cast<std::size_t>(centre)],
                    last = environments.begin[static_cast<std::size_t>(centre) + 1];
  if (descriptor.species().size() < 3) return last - first;
  std::size_t near = 0;
  for (std::size_t p = first; p < last; ++p) near += environments.distance[p] < descriptor.cutoff() ? 1 : 0;
  return near * near / 2;
}

/// About how many pairs a centre has in the Jacobian: two for each triplet.
inline std::size_t jacobian_pairs(const Environments& environments, const Descriptor& descriptor, int centre) {
  return most_environments(environments, descriptor, centre) * (descriptor.species().size() < 3 ? 1 : 2);
}

/// The same for about `count` environments of a descriptor at most.
inline int chunk_end(const Environments& environments, const Descriptor& descriptor, int begin, std::size_t count) {
  if (descriptor.species().size() < 3) return chunk_end(environments, begin, count);
  std::size_t sum = 0;
  int end = begin;
  for (; end < environments.size(); ++end) {
    sum += most_environments(environments, descriptor, end);
    if (sum > count && end > begin) break;
  }
  return end;
}

/// visit(c, from, to) for every centre position c of begin … end−1 that has environments: rows from … to−1 of the features of that range.
template <class Visit>
void for_each_centre(const Environments& environments, int begin, int end, const Features& features, Visit&& visit) {
  int from = 0;
  for (int c = begin; c < end; ++c) {
    int to = from;
    while (to < features.size() && features.centre[static_cast<std::size_t>(to)] == environments.centre[static_cast<std::size_t>(c)]) ++to;
    if (to > from) visit(c, from, to);
    from = to;
  }
  if (from != features.size()) throw Error("a descriptor's environments do not stand in the order of their centres");
}

}  // namespace gapkit
