#pragma once

#include <gapkit/model/kernel_rows.hpp>

namespace gapkit {

/// Prior variances of observables, term by term.
struct PriorVariances {
  Matrix value;  ///< [rows, terms] k**
  /// [rows, terms] sum of absolute values: rounding in `value` and in φᵀφ is relative to it. It is far larger than `value` where an
  /// observable vanishes by symmetry (forces in a perfect crystal).
  Matrix magnitude;
};

/// Prior covariance of observables: the functionals of KernelRows applied to both arguments of δ² f κ(x, x') f' (methods.md, sections 1 and
/// 5).
///
/// Terms with domain_points() and a smooth kernel use a pivoted Cholesky factorisation of κ over the domain, κ(x, x') ≈ Σ_q ψ_q(x) ψ_q(x'),
/// so that double sums over environments become squares of single sums. Other terms use the double sum, with mixed second derivatives for
/// forces and virials: O(n² D) for energy and virial, and for a force only over the environments that contain the atom. Not re-entrant (it
/// owns scratch memory); threads inside.
class Prior {
 public:
  /// The terms must outlive the object.
  explicit Prior(std::span<const Term> terms);
  ~Prior();

  /// Prior variances of the rows of KernelRows::compute, in eV², (eV/Å)² and eV². Forces of atoms 0 … atoms−1 need every environment that
  /// contains one of them. Memory: bounded except for energy and virial, 7 n D numbers.
  /// `kept` (optional): from KernelRows::compute for the same environments.
  PriorVariances observables(const Environments& environments, int atoms, const Observables& wanted, const KeptFeatures* kept = nullptr);
  /// Prior variances of the rows of KernelRows::compute_property. Cost: O(n D) for values; O(n² D) for weighted sums, of terms without a
  /// low-rank form.
  PriorVariances property(const Environments& environments, const Observables& wanted, const Matrix& weights);
  /// From now on products of gradients in the double sums of forces in single precision: some 10⁻⁶ of k**.
  void use_single_precision(bool is_wanted);
  /// k(E_a, E_b) of two total energies: [terms], eV².
  Vector energies(const Environments& a, const Environments& b);

 private:
  Matrix value_variances(const Environments& environments, Eigen::Index atoms);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gapkit
