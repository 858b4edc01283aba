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

/// The same for about `count` environments of a descriptor at most: of triplets each centre has as many as half the square of its
/// neighbours inside the cutoff; of all others, at most as many as pairs.
inline int chunk_end(const Environments& environments, const Descriptor& descriptor, int begin, std::size_t count) {
  const std::size_t arity = descriptor.species().size();
  if (arity < 3) return chunk_end(environments, begin, count);
  std::size_t sum = 0;
  int end = begin;
  for (; end < environments.size(); ++end) {
    std::size_t near = 0;
    for (std::size_t p = environments.begin[static_cast<std::size_t>(end)]; p < environments.begin[static_cast<std::size_t>(end) + 1]; ++p)
      near += environments.distance[p] < descriptor.cutoff() ? 1 : 0;
    sum += near * near / 2;
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
