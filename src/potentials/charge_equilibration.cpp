#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/potentials/charge_equilibration.hpp>

namespace gapkit {

ChargeEquilibration::ChargeEquilibration(const Structure& structure, std::vector<double> widths, std::span<const double> hardness,
                                         const CoulombOptions& options)
    : place_(structure.place()) {
  CoulombOptions with_self = options;
  with_self.self_energy = true;
  matrix_ = coulomb_matrix({structure, {}, widths}, with_self);
  for (Eigen::Index i = 0; i < matrix_.rows(); ++i) matrix_(i, i) += hardness[static_cast<std::size_t>(i)];
  shift_ = matrix_.size() > 0 ? matrix_.cwiseAbs().maxCoeff() : 0;
  factor_ = matrix_.array() + shift_;
  if (!cholesky(factor_))
    throw InputError(place_ + "charge equilibration has no minimum: hardness and widths are too small for the distances of these atoms");
  share_ = solve(Vector::Ones(matrix_.rows()));
  inverse_sum_ = share_.sum();
  share_ /= inverse_sum_;
}

Vector ChargeEquilibration::solve(const Vector& v) const {
  return solve_lower_transposed(factor_, solve_lower(factor_, v));
}

Vector ChargeEquilibration::response(const Vector& v) const {
  const Vector free = solve(v);
  return free - free.sum() * share_;
}

Vector ChargeEquilibration::charges(const Vector& electronegativity, double total_charge) const {
  return total_charge * share_ - response(electronegativity);
}

double ChargeEquilibration::multiplier(const Vector& electronegativity, double total_charge) const {
  // 1ᵀ(A + shift 11ᵀ)⁻¹(−χ − μ' 1) = Q, and the shift adds shift · Q to every potential.
  return -(solve(electronegativity).sum() + total_charge) / inverse_sum_ + shift_ * total_charge;
}

EquilibratedEnergy equilibrated_energy(const ChargeCloud& cloud, std::span<const double> hardness, const Vector& electronegativity,
                                       const CoulombOptions& options) {
  CoulombOptions with_self = options;
  with_self.self_energy = true;
  const CoulombSum coulomb = coulomb_sum(cloud, with_self);
  EquilibratedEnergy result{
      .energy = coulomb.energy, .slope = {}, .potential = coulomb.potential, .forces = coulomb.forces, .virial = coulomb.virial};
  result.slope = Eigen::Map<const Vector>(cloud.charges.data(), static_cast<Eigen::Index>(cloud.charges.size()));
  for (std::size_t i = 0; i < cloud.charges.size(); ++i) {
    const double q = cloud.charges[i];
    result.energy += q * electronegativity[static_cast<Eigen::Index>(i)] + 0.5 * hardness[i] * q * q;
  }
  return result;
}

EquilibratedEnergy equilibrated_coulomb(const ChargeCloud& cloud, const ChargeEquilibration& equilibration, const CoulombOptions& options) {
  const CoulombSum coulomb = coulomb_sum(cloud, options);
  const Vector pull = equilibration.response(coulomb.potential);  // λ = Ā V: dE = ∂E|_q − λᵀ(∂χ + ∂A q)
  EquilibratedEnergy result{
      .energy = coulomb.energy, .slope = -pull, .potential = coulomb.potential, .forces = coulomb.forces, .virial = coulomb.virial};
  if (!options.derivatives) return result;
  // λᵀ ∂A q = ½ [∂E_C(λ + q) − ∂E_C(λ − q)]
  std::vector<double> charges(cloud.charges.size());
  for (const double sign : {1.0, -1.0}) {
    for (std::size_t i = 0; i < charges.size(); ++i) charges[i] = pull[static_cast<Eigen::Index>(i)] + sign * cloud.charges[i];
    const CoulombSum part = coulomb_sum({cloud.structure, charges, cloud.widths}, options);
    result.forces -= 0.5 * sign * part.forces;
    result.virial -= 0.5 * sign * part.virial;
  }
  return result;
}

}  // namespace gapkit
