#pragma once

#include <gapkit.h>

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/model/sub_environments.hpp>
#include <memory>

namespace gapkit::c {

/// Centres with their neighbours from another program's list, ghosts included. Memory is used again from call to call.
class GhostEnvironments {
 public:
  /// Takes the pairs within `cutoff` (Å). Throws Failure: an index is out of range, the list is not full or too short. Positions and
  /// elements have been looked at before.
  void read(const gapkit_environments& given, double cutoff);
  /// Atoms are numbered as they were given.
  const Environments& view() const { return view_; }
  std::span<const int> centres() const { return centre_; }

  /// Every environment that contains a centre, for error bars of forces; centre c has the index c. Throws Failure if neither owners nor
  /// halo are enough for that. After read() of the same.
  const Environments& around_centres(const gapkit_environments& given, double cutoff);

 private:
  void take_centres(const gapkit_environments& given);
  void take_pairs(const gapkit_environments& given, double cutoff);
  void require_full_list() const;
  bool fold(const gapkit_environments& given);

  std::vector<int> place_;  // of each atom among the centres; −1: a ghost
  std::vector<int> centre_, neighbor_;
  std::vector<std::size_t> begin_;
  std::vector<Vector3> vector_;
  std::vector<double> distance_;
  Environments view_;

  std::vector<int> folded_centre_, folded_number_, folded_neighbor_;
  Environments folded_;
  std::unique_ptr<SubEnvironments> halo_;
};

}  // namespace gapkit::c
