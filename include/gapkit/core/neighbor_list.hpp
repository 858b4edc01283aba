#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// All neighbours within one cutoff, as a full list (each pair appears from both ends) in compressed rows.
///
/// r_ij = r_j + S · cell − r_i with the integer image shift S; the list holds every (j, S) with 0 ≤ |r_ij| < cutoff except the atom
/// itself (j = i, S = 0). Neighbours of an atom are sorted by (j, S), so the list does not depend on how it was found.
/// A direction counts as periodic if pbc is true there and the structure has a cell; positions may lie outside the cell.
/// Cost: O(N) for a bounded density. Throws InputError for a cutoff ≤ 0, non-finite positions, or a periodic direction whose
/// cell has no volume.
class NeighborList {
 public:
  NeighborList(const Structure& structure, double cutoff);

  double cutoff() const { return cutoff_; }
  int size() const { return static_cast<int>(begin_.size()) - 1; }
  std::size_t pair_count() const { return index_.size(); }

  /// Pairs of atom i are begin()[i] … begin()[i+1]−1.
  const std::vector<std::size_t>& begin() const { return begin_; }
  const std::vector<int>& index() const { return index_; }                 ///< j of each pair
  const std::vector<std::array<int, 3>>& shift() const { return shift_; }  ///< S of each pair
  const std::vector<Vector3>& vector() const { return vector_; }           ///< r_ij of each pair, Å
  const std::vector<double>& distance() const { return distance_; }        ///< |r_ij| of each pair, Å

 private:
  double cutoff_ = 0;
  std::vector<std::size_t> begin_;
  std::vector<int> index_;
  std::vector<std::array<int, 3>> shift_;
  std::vector<Vector3> vector_;
  std::vector<double> distance_;
};

/// Centre atoms with their neighbours: all that descriptors see, whoever found the neighbours (a NeighborList, or a
/// molecular-dynamics code with its ghosts). Views only: the owner of the arrays must outlive it.
///
/// `atomic_number` has an entry for every index that occurs (ghosts included); pairs of centre c (0 ≤ c < size()) are
/// begin[c] … begin[c+1]−1. The list may reach beyond a descriptor's cutoff; each descriptor takes what it needs.
struct Environments {
  std::span<const int> centre;         ///< atom index of each centre
  std::span<const int> atomic_number;  ///< by atom index
  std::span<const std::size_t> begin;  ///< size() + 1 entries
  std::span<const int> neighbor;       ///< atom index of each pair's neighbour
  std::span<const Vector3> vector;     ///< r_ij of each pair, Å
  std::span<const double> distance;    ///< |r_ij| of each pair, Å
  double cutoff = 0;                   ///< Å; the list is complete up to here

  int size() const { return static_cast<int>(centre.size()); }
};

/// A structure's neighbour list together with the Environments view of it.
class StructureEnvironments {
 public:
  StructureEnvironments(const Structure& structure, double cutoff);
  /// `list`: that of the structure.
  StructureEnvironments(const Structure& structure, NeighborList list);
  StructureEnvironments(const StructureEnvironments&) = delete;
  StructureEnvironments& operator=(const StructureEnvironments&) = delete;
  const Environments& view() const { return view_; }
  const NeighborList& list() const { return list_; }

 private:
  NeighborList list_;
  std::vector<int> centre_;
  std::vector<int> atomic_number_;
  Environments view_;
};

/// Where an environment came from: the frame (counted over all training files, from 0), the centre atom, and which of that
/// atom's environments (0 for SOAP).
struct EnvironmentOrigin {
  std::int64_t frame = 0;
  std::int64_t atom = 0;
  std::int64_t ordinal = 0;
};

}  // namespace gapkit
