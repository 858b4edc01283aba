#include <gapkit/core/errors.hpp>
#include <gapkit/model/sub_environments.hpp>

namespace gapkit {

SubEnvironments::SubEnvironments(const Environments& source, const std::vector<int>& position, std::span<const int> targets) {
  std::vector<int> local(source.atomic_number.size(), -1);
  std::vector<int> centres;
  const auto name = [&](int atom) {
    int& index = local[static_cast<std::size_t>(atom)];
    if (index < 0) {
      index = static_cast<int>(atomic_number_.size());
      atomic_number_.push_back(source.atomic_number[static_cast<std::size_t>(atom)]);
    }
    return index;
  };
  for (const int atom : targets) name(atom);
  std::vector<char> taken(source.centre.size(), 0);
  const auto take = [&](int atom) {
    const int c = position.at(static_cast<std::size_t>(atom));
    if (c < 0 || taken[static_cast<std::size_t>(c)]) return;
    taken[static_cast<std::size_t>(c)] = 1;
    centres.push_back(c);
  };
  for (const int atom : targets) take(atom);
  for (const int atom : targets) {
    const int c = position.at(static_cast<std::size_t>(atom));
    if (c < 0) continue;
    for (std::size_t p = source.begin[static_cast<std::size_t>(c)]; p < source.begin[static_cast<std::size_t>(c) + 1]; ++p)
      take(source.neighbor[p]);
  }
  begin_.push_back(0);
  for (const int c : centres) {
    const auto at = static_cast<std::size_t>(c);
    centre_.push_back(name(source.centre[at]));
    for (std::size_t p = source.begin[at]; p < source.begin[at + 1]; ++p) {
      neighbor_.push_back(name(source.neighbor[p]));
      vector_.push_back(source.vector[p]);
      distance_.push_back(source.distance[p]);
    }
    begin_.push_back(neighbor_.size());
  }
  view_ = {centre_, atomic_number_, begin_, neighbor_, vector_, distance_, source.cutoff};
}

std::vector<int> centre_positions(const Environments& source, int atoms) {
  std::vector<int> position(static_cast<std::size_t>(atoms), -1);
  for (int c = 0; c < source.size(); ++c) position.at(static_cast<std::size_t>(source.centre[static_cast<std::size_t>(c)])) = c;
  for (const int j : source.neighbor)
    if (j >= atoms) throw Error("error bars of forces need every atom below the number of atoms");
  return position;
}

std::vector<std::vector<int>> compact_groups(const Environments& source, const std::vector<int>& position, int most) {
  const int atoms = static_cast<int>(position.size());
  std::vector<char> seen(position.size(), 0);
  std::vector<std::vector<int>> groups;
  for (int start = 0; start < atoms; ++start) {
    if (seen[static_cast<std::size_t>(start)]) continue;
    seen[static_cast<std::size_t>(start)] = 1;
    std::vector<int> group = {start};
    for (std::size_t next = 0; next < group.size() && static_cast<int>(group.size()) < most; ++next) {
      const int c = position[static_cast<std::size_t>(group[next])];
      if (c < 0) continue;
      const auto at = static_cast<std::size_t>(c);
      for (std::size_t p = source.begin[at]; p < source.begin[at + 1] && static_cast<int>(group.size()) < most; ++p) {
        const int j = source.neighbor[p];
        if (seen[static_cast<std::size_t>(j)]) continue;
        seen[static_cast<std::size_t>(j)] = 1;
        group.push_back(j);
      }
    }
    // Lone atoms and small remainders join the previous group.
    if (!groups.empty() && static_cast<int>(groups.back().size() + group.size()) <= most)
      groups.back().insert(groups.back().end(), group.begin(), group.end());
    else
      groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace gapkit
