#pragma once

#include <gapkit/descriptors/symmetry_functions.hpp>

#include "descriptors/symmetry_loops.hpp"

namespace gapkit {

/// Symmetry functions of one centre, ordered for the loops: factors that several functions share are computed once.
///
/// A range of slots holds the neighbours of one element, in the order of the elements; the last range holds all neighbours.
class SymmetryPlan {
 public:
  SymmetryPlan() = default;
  /// `elements` (ascending): all elements of neighbours; functions of others are an error.
  SymmetryPlan(const std::vector<SymmetryFunction>& functions, const std::vector<int>& elements);

  /// exp(−η (r − r_s)²) f_c(r), times the atomic number of the neighbour if weighted.
  struct Factor {
    double eta, shift;
    int cutoff;  ///< index in `cutoffs`
    bool weighted;
    bool operator==(const Factor&) const = default;
  };
  struct Radial {
    int function, factor, range;
  };

  int functions = 0;
  std::vector<double> cutoffs;  ///< distinct ones, Å
  std::vector<Factor> factors;  ///< those of angular functions first
  int angular_factors = 0;
  std::vector<Factor> sides;
  std::vector<Radial> radial;
  std::vector<SymmetryPart> parts;
  std::vector<SymmetryGroup> groups;
  std::vector<SymmetryMember> members;
  std::vector<std::vector<int>> ranges;   ///< by function: where its derivatives are
  std::vector<std::vector<int>> columns;  ///< by element: functions that depend on its atoms, ascending

  SymmetryLists lists() const { return {parts.data(), static_cast<int>(parts.size()), groups.data(), members.data(), angular_factors}; }

 private:
  int cutoff_index(double cutoff);
  static int index_in(std::vector<Factor>& factors, const Factor& factor);
  void add_angular(const std::vector<SymmetryFunction>& all, const std::vector<int>& chosen, int range_j, int range_k);
};

}  // namespace gapkit
