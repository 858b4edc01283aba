#pragma once

#include <gapkit/core/neighbor_list.hpp>

namespace gapkit {

/// Neighbours of a structure from call to call: a list that reaches a skin farther than the cutoff stays good while the atoms move a
/// little.
///
/// The list is made anew when elements, periodic directions or the number of atoms are others, and when atoms and cell have moved so far
/// that a pair from beyond the skin could have come within the cutoff: with the strain F of the cell since the list was made (r → r F) and
/// the largest displacement u beyond that strain, when σ_min(F) (cutoff + skin) − 2 u < cutoff. Each call gives the list that NeighborList
/// makes of the structure, in the same order.
class KeptNeighbors {
 public:
  static constexpr double usual_skin = 0.5;  ///< Å

  /// Environments within `cutoff` (Å). They hold until the next call. skin: Å; 0: a new list every time. Throws as NeighborList.
  const Environments& update(const Structure& structure, double cutoff, double skin);

  /// How many lists have been made.
  std::size_t lists_made() const { return lists_made_; }

 private:
  bool is_good(const Structure& structure, double cutoff) const;
  void make_list(const Structure& structure, double reach);
  void select_pairs(const Structure& structure, double cutoff);

  std::size_t lists_made_ = 0;
  double reach_ = 0;     // Å, of the list; 0: there is none
  Structure reference_;  // that the list was made for: cell, periodicity, elements, positions
  std::vector<std::size_t> list_begin_;
  std::vector<int> list_index_;
  std::vector<std::array<int, 3>> list_shift_;

  // The pairs within the cutoff
  std::vector<int> centre_, neighbor_;
  std::vector<std::size_t> begin_;
  std::vector<Vector3> vector_;
  std::vector<double> distance_;
  Environments view_;
};

}  // namespace gapkit
