#pragma once

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// QUIP's variance of local energies, for imported models only (methods.md, section 5). Per environment
///
///     f² [ δ² + reg² − kᵀ (K_MM + reg²)⁻¹ k ]        k_m = δ² f_m κ(x, x_m)
///
/// shared among the atoms that own the environment and summed over environments and terms, as if these were independent. No part of
/// it stems from the data. Needs kernels with κ(x, x) = 1. Not re-entrant (it owns scratch memory).
class QuipVariance {
 public:
  static constexpr double default_regularization = 0.001;  ///< eV, QUIP's own default

  /// The model must outlive the object. Cost: Σ M_t³/3 flop. Throws NumericalError if a kernel matrix is not positive definite.
  explicit QuipVariance(const Model& model, double regularization = default_regularization);

  /// [atoms], eV². Cost: M² flop per environment; memory is bounded, atoms are worked on in chunks.
  Vector local_energies(const Environments& environments, int atoms);

 private:
  const Model& model_;
  double regularization_;
  std::vector<Matrix> lower_;  // per term: Cholesky factor of K_MM + reg²
  Features features_;
  ReusableMatrix rows_;
};

}  // namespace gapkit
