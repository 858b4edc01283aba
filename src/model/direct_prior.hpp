#pragma once

#include <gapkit/model/prior.hpp>

namespace gapkit {

/// Prior covariances of one term by double sums over its environments (METHODS 5), for κ instead of weight()² /δ² κ: the caller multiplies.
class DirectPrior {
 public:
  /// `term` must outlive the object.
  explicit DirectPrior(const Term& term);

  /// Adds k** of the wanted rows (order of KernelRows) to value, and what was summed without signs to magnitude; [wanted.rows(atoms)].
  void add_observables(const Environments& environments, int atoms, const Observables& wanted, Vector& value, Vector& magnitude);
  /// Of the shares of atoms centre[begin … end−1] in the energy.
  Vector local_energies(const Environments& environments, int begin, int end);
  /// Σ_{e ∈ a, e' ∈ b} f κ f'
  double energies(const Environments& a, const Environments& b);

 private:
  void add_forces(const Environments& environments, int atoms, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude);
  void add_forces_of_group(const Environments& environments, int targets, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude);
  void add_virial(const Environments& environments, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude);
  /// x √Λ of the features in hand
  Matrix scaled_features() const;

  const Term& term_;
  Vector scale_;       // √Λ, or empty
  double stationary_;  // h
  Features features_;
};

}  // namespace gapkit
