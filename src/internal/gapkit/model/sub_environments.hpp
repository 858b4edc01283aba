#pragma once

#include <gapkit/core/neighbor_list.hpp>

namespace gapkit {

/// The environments that contain any of some target atoms. Targets have the indices 0 … targets−1, other atoms the following ones.
class SubEnvironments {
 public:
  /// `position`: index in `environments.centre` of each atom, −1 for atoms that are not centres. The list must be symmetric (full).
  SubEnvironments(const Environments& environments, const std::vector<int>& position, std::span<const int> targets);
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

/// Index of each atom 0 … atoms−1 in environments.centre, or −1.
std::vector<int> centre_positions(const Environments& environments, int atoms);

/// Atoms 0 … atoms−1 in groups of at most `most`, each grown along neighbours to have few neighbours outside.
std::vector<std::vector<int>> compact_groups(const Environments& environments, const std::vector<int>& position, int most);

}  // namespace gapkit
