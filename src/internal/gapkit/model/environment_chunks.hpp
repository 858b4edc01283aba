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

/// The same for a descriptor, not beyond `last`: as long as the sum of size(EnvironmentCount) over the centres is at most `most`.
template <class Size>
int chunk_end(const Environments& environments, const Descriptor& descriptor, int begin, int last, std::size_t most, Size&& size) {
  std::size_t sum = 0;
  int end = begin;
  for (; end < last; ++end) {
    sum += static_cast<std::size_t>(size(descriptor.count(environments, end)));
    if (sum > most && end > begin) break;
  }
  return end;
}

/// At most about `most` environments, and neighbours in them: for work with derivatives.
inline int chunk_end(const Environments& environments, const Descriptor& descriptor, int begin, std::size_t most) {
  return chunk_end(environments, descriptor, begin, environments.size(), most, [](const EnvironmentCount& n) { return n.largest(); });
}

/// At most about `most` environments, not beyond `last`: for work with features and kernel values only.
inline int feature_chunk_end(const Environments& environments, const Descriptor& descriptor, int begin, int last, std::size_t most) {
  return chunk_end(environments, descriptor, begin, last, most, [](const EnvironmentCount& n) { return n.environments; });
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
