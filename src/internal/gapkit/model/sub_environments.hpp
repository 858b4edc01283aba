#pragma once

#include <gapkit/core/neighbor_list.hpp>

namespace gapkit {

/// The environments that contain any of some target atoms, as a set of their own. Targets have the indices 0 … targets−1, all other
/// atoms that occur the ones behind.
class SubEnvironments {
 public:
  /// `position`: of each atom that is a centre, its place in `source.centre`; −1 for others. The list must be symmetric (full).
  SubEnvironments(const Environments& source, const std::vector<int>& position, std::span<const int> targets);
  SubEnvironments(const SubEnvironments&) = delete;
  SubEnvironments& operator=(const SubEnvironments&) = delete;

  const Environments& view() const { return view_; }
  int atoms() const { return static_cast<int>(atomic_number_.size()); }

 private:
  std::vector<int> centre_, atomic_number_, neighbor_;
  std::vector<std::size_t> begin_;
  std::vector<Vector3> vector_;
  std::vector<double> distance_;
  Environments view_;
};

/// Place of each atom 0 … atoms−1 in source.centre, or −1.
std::vector<int> centre_positions(const Environments& source, int atoms);

/// Atoms 0 … atoms−1 in groups of at most `most`, each grown along neighbours so that it has few neighbours outside.
std::vector<std::vector<int>> compact_groups(const Environments& source, const std::vector<int>& position, int most);

}  // namespace gapkit
