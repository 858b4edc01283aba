#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// A free atom: its C6 with itself, its polarizability, and its van der Waals radius.
struct FreeAtom {
  double c6 = 0;              ///< eV Å⁶
  double polarizability = 0;  ///< Å³
  double radius = 0;          ///< Å
};

/// The values of Tkatchenko & Scheffler, Phys. Rev. Lett. 102, 073005 (2009), and its continuation to Z = 86 without the lanthanides, as
/// tabulated in libMBD (pymbd/vdw-params.csv). Null for an element that has none.
const FreeAtom* free_atom(int atomic_number);

struct DispersionOptions {
  enum class Damping { fermi, becke_johnson };
  Damping damping = Damping::fermi;
  double radius_scale = 0.94;  ///< R_ij = radius_scale · (R_i + R_j)
  double steepness = 20;       ///< d of the Fermi function
  double cutoff = 20;          ///< Å
  double width = 2;            ///< Å; the switch acts over the last part of the cutoff
  bool tail = true;            ///< in three periodic directions, pairs beyond the cutoff as a homogeneous distribution
  bool derivatives = true;     ///< forces and virial
};

/// Dispersion energy and its derivatives.
struct DispersionSum {
  double energy = 0, tail = 0;       ///< eV; the energy includes the tail
  std::vector<double> share;         ///< eV, of each atom; half of its pairs and of the tail
  Positions forces;                  ///< eV/Å; empty without derivatives
  Matrix3 virial = Matrix3::Zero();  ///< −dE/dstrain, eV
  Vector volume_slope;               ///< dE/dv of each atom, eV
};

/// −½ Σ C6_ij F(r) over all pairs within the cutoff (methods.md, section 9). `atoms`: of each atom; `volumes`: those of the atoms in the
/// structure over the free ones, empty: 1. O(N) at a given density. The same bits for any number of threads.
DispersionSum dispersion_sum(const Structure& structure, std::span<const FreeAtom> atoms, std::span<const double> volumes,
                             const DispersionOptions& options);

}  // namespace gapkit
