#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

class TermPotential;

/// The mean of a local property at the atoms, and the chain rule for energies that depend on it: dE/dr = Σ_i ∂E/∂q_i dq_i/dr. One object
/// per thread of control (it owns scratch memory); threads inside.
class FieldValues {
 public:
  explicit FieldValues(const FittedProperty& property);

  double cutoff() const { return field_->cutoff(); }
  const std::string& name() const { return name_; }
  /// q_i of atoms 0 … atoms−1; 0 for atoms that are no centres. `has_derivatives`: add_pullback() will follow. Throws InputError for an
  /// element without data of the property; `where` begins the message.
  Vector compute(const Environments& environments, int atoms, bool has_derivatives, const std::string& where = "");
  /// Adds −Σ_i λ_i dq_i/dr to the forces (a row for every atom of the environments) and −Σ_i λ_i dq_i/dε to the virial, after compute() of
  /// the same environments. `weights`: λ of each atom.
  void add_pullback(const Environments& environments, std::span<const double> weights, Positions& forces, Matrix3& virial) const;

 private:
  std::string name_;
  std::shared_ptr<const Model> field_;
  std::vector<std::shared_ptr<TermPotential>> terms_;
  std::vector<Vector3> dq_dr_;  // of each pair: derivative of the value of the centre
};

}  // namespace gapkit
