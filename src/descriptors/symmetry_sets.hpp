#pragma once

#include <gapkit/descriptors/symmetry_functions.hpp>

namespace gapkit {

/// What the automatic sets need.
struct SymmetrySets {
  std::string name;   ///< a line of names()
  int radial = 8;     ///< functions of each radial set, ≥ 2
  bool weighted;      ///< one function for all elements, instead of one for each element or pair
  double first = 0;   ///< distance at which the radii of Gastegger's sets begin, Å
  double cutoff = 0;  ///< Å

  static const std::vector<std::string>& names();
  /// For neighbours of these elements (ascending).
  std::vector<SymmetryFunction> functions(const std::vector<int>& elements) const;
};

}  // namespace gapkit
