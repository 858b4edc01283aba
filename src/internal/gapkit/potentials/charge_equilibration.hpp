#pragma once

#include <gapkit/potentials/coulomb.hpp>
#include <gapkit/potentials/potential.hpp>

namespace gapkit {

/// Charges that minimise χᵀq + ½ qᵀAq at a given sum Q; A is the Coulomb matrix of Gaussians with their own energies, plus the hardness on
/// its diagonal (methods.md, section 9). The charges are linear in χ and Q: q = −Ā χ + a Q.
class ChargeEquilibration {
 public:
  /// `widths` (σ > 0, Å) and `hardness` (J, eV/e²) of each atom. One factorisation, N³/3 flop. Throws InputError for a wire, for widths of
  /// 0, and if hardness and widths are so small that no charges are a minimum.
  ChargeEquilibration(const Structure& structure, std::vector<double> widths, std::span<const double> hardness,
                      const CoulombOptions& options = {});

  /// q for electronegativities χ (eV/e) and a total charge (e).
  Vector charges(const Vector& electronegativity, double total_charge) const;
  /// The Lagrange multiplier μ of the same, eV/e: dE/dQ = −μ.
  double multiplier(const Vector& electronegativity, double total_charge) const;
  /// Ā v: −dq/dχ is symmetric, so this is the adjoint too. The columns of Ā sum to 0.
  Vector response(const Vector& v) const;
  /// a = dq/dQ; sums to 1.
  const Vector& share() const { return share_; }
  /// A, eV/e².
  const Matrix& matrix() const { return matrix_; }

 private:
  Vector solve(const Vector& v) const;

  std::string place_;
  Matrix matrix_, factor_;
  double shift_ = 0;  // factor_: of A + shift · 11ᵀ, which is positive definite if A is for Σq = 0
  Vector share_;
  double inverse_sum_ = 0;
};

/// With the widths and the hardness of the elements. Throws InputError, which begins with the structure's place, for an element without.
ChargeEquilibration equilibration_of(const Structure& structure, const Equilibration& of_elements, const CoulombOptions& options = {});

/// Energy of equilibrated charges, at its minimum: χᵀq + ½ Σ J q² + E_C with self-energies. Forces and virial are those at fixed χ and are
/// whole, as the charges are at the minimum; the chain rule for χ has dE/dχ_i = q_i.
struct EquilibratedEnergy {
  double energy = 0;
  Vector slope;      ///< dE/dχ of each atom, e
  Vector potential;  ///< of each atom at these charges, eV/e: shares of the Coulomb energy are ½ q V
  Positions forces;
  Matrix3 virial = Matrix3::Zero();
};
EquilibratedEnergy equilibrated_energy(const ChargeCloud& cloud, std::span<const double> hardness, const Vector& electronegativity,
                                       const CoulombOptions& options = {});

/// The Coulomb energy alone of equilibrated charges, with self-energies if the options ask for them; forces and virial at fixed χ include
/// those that come from the change of the charges. `equilibration` belongs to the cloud, whose charges it gave.
EquilibratedEnergy equilibrated_coulomb(const ChargeCloud& cloud, const ChargeEquilibration& equilibration,
                                        const CoulombOptions& options = {});

}  // namespace gapkit
