#pragma once

#include <gapkit/model/prior.hpp>

namespace gapkit {

template <class Real>
struct FunctionalsOf;

/// Prior covariances of one term by double sums over its environments (methods.md, section 5), for κ instead of weight()² /δ² κ: the caller
/// multiplies.
class DirectPrior {
 public:
  explicit DirectPrior(const Term& term);

  /// Adds k** of the wanted rows (order of KernelRows) to value, and the sum of absolute values to magnitude; [wanted.rows(atoms)].
  /// `known`: features and Jacobian of all these environments in short form, or null.
  void add_observables(const Environments& environments, int atoms, const Observables& wanted, const Features* known, Vector& value,
                       Vector& magnitude);
  /// From now on products of gradients in k** of forces in single precision.
  void use_single_precision(bool is_wanted) { is_single_ = is_wanted; }
  /// Σ_{e ∈ a, e' ∈ b} f κ f'
  double energies(const Environments& a, const Environments& b);
  /// Σ_{e, e'} w f κ f' w' for each row of `weights` [k, atoms], with the weights w of the centres: [k].
  Vector weighted_sums(const Environments& environments, const Matrix& weights);

 private:
  void add_forces(const Environments& environments, int atoms, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude);
  void add_forces_of_group(const Features& features, int targets, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude) const;
  void add_virial(const Environments& environments, const Features* known, const Eigen::Ref<Vector>& value,
                  const Eigen::Ref<Vector>& magnitude);
  /// Fills scaled_x and multiplies the gradients by √Λ.
  template <class Real>
  void apply_metric(FunctionalsOf<Real>& parts) const;

  Term term_;          // in its short form, without sparse points
  Vector scale_;       // √Λ, or empty
  double stationary_;  // h
  bool is_single_ = false;
  Features features_;
};

}  // namespace gapkit
