#pragma once

#include <gapkit/io/targets.hpp>
#include <string>
#include <vector>

namespace gapkit {

/// What would make wrong labels right: each is multiplied by factor · N^atoms · V^volume (N atoms, V in Å³).
struct LabelTransformation {
  double factor = 1;
  int atoms = 0, volume = 0;
  std::string meaning;  ///< "the sign of the stress is reversed, …"; empty for labels that are right

  double value(double atom_count, double cell_volume) const;
};

/// Of energies against forces in eV/Å; the first one leaves them as they are.
std::vector<LabelTransformation> energy_transformations();
/// Of virials, as assign_targets made them from the keys in `targets`, against energies and forces; the first one leaves them as they are.
std::vector<LabelTransformation> virial_transformations(const TargetReport& targets);

/// An order in which six numbers, or the off-diagonal ones of nine, may have been written: right yz, xz, xy are to be found at these
/// places of yz, xz, xy.
struct ShearOrder {
  std::array<int, 3> place;
  const char* name;  ///< "xx yy zz xy yz zx (VASP's)"
};

/// All orders but the right one.
const std::array<ShearOrder, 5>& wrong_shear_orders();

}  // namespace gapkit
