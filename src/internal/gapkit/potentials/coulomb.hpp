#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// Charges at the atoms of a structure: points, or Gaussian densities (2πσ²)^(−3/2) exp(−r²/2σ²).
struct ChargeCloud {
  const Structure& structure;       ///< its cell, periodicity and positions
  std::span<const double> charges;  ///< e
  std::span<const double> widths;   ///< σ, Å; empty: points. A width of 0 is a point.
};

struct CoulombOptions {
  double accuracy = 1e-8;   ///< eV per atom; errors of forces and potentials are of the same order per Å and e
  double alpha = 0;         ///< 1/Å, splits real and reciprocal space; 0: the cheapest
  bool derivatives = true;  ///< forces and virial
  /// Adds the energy of each Gaussian with itself, k_e q²/(2√π σ): the sum is then that of charge densities, and an atom's potential
  /// includes its own. For charge equilibration; widths must be above 0.
  bool self_energy = false;
};

/// Coulomb energy and its derivatives.
struct CoulombSum {
  double energy = 0;                 ///< eV
  Vector potential;                  ///< V = dE/dq of each atom, eV/e; the energy is ½ Σ q V
  Positions forces;                  ///< −dE/dr at fixed charges, eV/Å; empty without derivatives
  Matrix3 virial = Matrix3::Zero();  ///< −dE/dstrain at fixed charges, eV, symmetric
  double alpha = 0;                  ///< 1/Å, as used; 0 for a molecule
};

/// Coulomb sum over all images (methods.md, section 9). By the periodicity of the structure:
/// three directions: Ewald sum with a conducting boundary; a charged cell has a uniform background, whose energy depends on the volume;
/// two: the slab alone in vacuum, charged ones without a background; one: a wire, which must be neutral; none: the sum over pairs.
/// O(N^(3/2)), O(N²) for a molecule. Threads inside unless the caller is in a parallel region; the same bits for any number of threads.
/// Throws InputError for a charged wire and a cell without volume. Point charges at one place give a result that is not finite.
CoulombSum coulomb_sum(const ChargeCloud& cloud, const CoulombOptions& options = {});

/// The matrix A of E = ½ qᵀ A q [N, N], eV/e²: column j has the potentials of a unit charge on atom j (with a background in a periodic
/// cell). `charges` of the cloud are ignored. Throws InputError for a wire, where a unit charge has no energy.
Matrix coulomb_matrix(const ChargeCloud& cloud, const CoulombOptions& options = {});

}  // namespace gapkit
