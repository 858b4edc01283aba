#pragma once

#include <gapkit/model/kernel_rows.hpp>

namespace gapkit {

/// Prior variances of observables, term by term.
struct PriorVariances {
  Matrix value;  ///< [rows, terms] k**
  /// [rows, terms] what was summed to get there, without regard to signs: rounding in `value` and in φᵀφ is relative to this, which is
  /// far larger where symmetry makes an observable vanish (forces in a perfect crystal).
  Matrix magnitude;
};

/// Prior covariance of observables: the functionals of KernelRows applied to both arguments of δ² f κ(x, x') f' (methods.md, sections 1 and
/// 5).
///
/// Terms whose descriptor has domain_points() and whose kernel is smooth go through a pivoted Cholesky factorisation of κ over the
/// domain, κ(x, x') ≈ Σ_q ψ_q(x) ψ_q(x'), so that double sums over environments become squares of single sums. For all others the
/// double sum is done, with mixed second derivatives for forces and virials: O(n² D) for energy and virial, and for a force only over
/// the environments that contain the atom. Not re-entrant (it owns scratch memory); threads inside.
class Prior {
 public:
  /// The terms must outlive the object.
  explicit Prior(std::span<const Term> terms);
  ~Prior();

  /// Of every row that KernelRows::compute makes, in eV², (eV/Å)² and eV². Forces: of atoms 0 … atoms−1; every environment that contains
  /// one of them must be there. Memory: bounded but for energy and virial, 7 n D numbers.
  /// `kept` (optional): what KernelRows::compute has left of the same environments.
  PriorVariances observables(const Environments& environments, int atoms, const Observables& wanted, const KeptFeatures* kept = nullptr);
  /// k(E_a, E_b) of two total energies: [terms], eV².
  Vector energies(const Environments& a, const Environments& b);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gapkit
