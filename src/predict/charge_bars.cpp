#include "predict/charge_bars.hpp"

#include <algorithm>
#include <gapkit/predict/posterior_check.hpp>

#include "predict/bar_factors.hpp"

namespace gapkit {
namespace {

const Model& with_posterior(const Model& model) {
  require_posterior(model);
  return model;
}

Property calibrated_property(const Model& charges) {
  const auto is_dipole = [](const RowGroup& group) { return group.property == Property::dipole; };
  const auto& groups = charges.posterior.groups;
  return std::any_of(groups.begin(), groups.end(), is_dipole) ? Property::dipole : Property::value;
}

}  // namespace

ChargeBars::ChargeBars(const ChargeDipole& dipole, const Model& charges)
    : dipole_(dipole), charges_(with_posterior(charges)), covariance_(charges) {}

Matrix3 ChargeBars::covariance(const Structure& structure, bool calibrated) {
  const Positions r = dipole_.from_origin(structure);
  Matrix weights(6, structure.size());
  for (std::size_t k = 0; k < voigt_index.size(); ++k) {  // var(a + b) = var a + var b + 2 cov
    const auto [a, b] = voigt_index[k];
    weights.row(static_cast<Eigen::Index>(k)) = (r.col(a) + (a == b ? 0.0 : 1.0) * r.col(b)).transpose();
  }
  const StructureEnvironments environments(structure, charges_.cutoff());
  const std::vector<Variance> found = covariance_.weighted_sums(environments.view(), weights);
  Matrix3 result = Matrix3::Zero();
  Variance mean;
  for (std::size_t k = 0; k < 3; ++k) {
    result(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(k)) = found[k].total();
    mean.novelty += found[k].novelty / 3;
    mean.data += found[k].data / 3;
    mean.prior += found[k].prior / 3;
    mean.jackknife += found[k].jackknife / 3;
    mean.relative += found[k].relative / 3;
  }
  for (std::size_t k = 3; k < 6; ++k) {
    const auto [a, b] = voigt_index[k];
    result(a, b) = result(b, a) = 0.5 * (found[k].total() - result(a, a) - result(b, b));
  }
  if (!(mean.total() > 0)) return Matrix3::Zero();
  const BarFactors factors = bar_factors(charges_, calibrated_property(charges_), structure.config_type, 0, calibrated);
  return factors.epistemic_square(mean, factors.scale(mean, structure.size())) / mean.total() * result;
}

}  // namespace gapkit
