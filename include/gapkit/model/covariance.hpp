#pragma once

#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// A posterior variance in its two parts (METHODS 5).
struct Variance {
  double novelty = 0;  ///< what no representative environment spans: k** − φᵀφ
  double data = 0;     ///< what the training data leave undetermined in that span: |R_A⁻ᵀ φ|²

  double total() const { return novelty + data; }
};

/// Posterior variances of observables under one model. Not re-entrant (it owns scratch memory).
class Covariance {
 public:
  /// The model must outlive the object.
  explicit Covariance(const Model& model);
  ~Covariance();

  /// Total energy, eV². Environments are correlated: the prior is the double sum over all of them.
  /// Cost: O(n² D) for SOAP-like terms (blocked GEMM), O(n P) for one-dimensional features, plus the energy row and 2 M² flop.
  Variance total_energy(const Environments& environments, int atoms);

  /// Local energies of atoms 0 … atoms−1, eV²; 0 for atoms that are not centres. Cost: 4 M² flop per atom, and the double sum over the
  /// atom's own environments; memory is bounded, atoms are worked on in chunks.
  std::vector<Variance> local_energies(const Environments& environments, int atoms);

  /// k(E, E): the prior variance of the total energy alone, eV².
  double prior_total_energy(const Environments& environments);

 private:
  struct State;
  /// Novelty and data part of whitened rows; prior holds k** of each.
  std::vector<Variance> split(MatrixSlice rows, const Vector& prior) const;
  void add_local_prior(std::size_t t, const Environments& environments, int begin, int end, Vector& prior);

  const Model& model_;
  std::unique_ptr<State> state_;
};

}  // namespace gapkit
