#pragma once

#include <gapkit/io/targets.hpp>
#include <string>
#include <vector>

namespace gapkit {

/// A correction of labels: each is multiplied by factor · N^atoms · V^volume (N atoms, V in Å³).
struct LabelTransformation {
  double factor = 1;
  int atoms = 0, volume = 0;
  std::string meaning;  ///< "the sign of the stress is reversed, …"; empty for labels that are right

  double value(double atom_count, double cell_volume) const;
};

/// For energies against forces in eV/Å; the first one is the identity.
std::vector<LabelTransformation> energy_transformations();
/// For virials, which assign_targets() made from the keys in `targets`, against energies and forces; the first one is the identity.
std::vector<LabelTransformation> virial_transformations(const TargetReport& targets);

/// An order of six numbers, or of the off-diagonal ones of nine, in files: the true yz, xz, xy are at these places of yz, xz, xy.
struct ShearOrder {
  std::array<int, 3> place;
  const char* name;  ///< "xx yy zz xy yz zx (VASP's)"
};

/// All orders but the right one.
const std::array<ShearOrder, 5>& wrong_shear_orders();

}  // namespace gapkit
