#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/evidence.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <limits>
#include <numbers>

namespace gapkit {
namespace {

constexpr double epsilon = std::numeric_limits<double>::epsilon();

Vector expanded(const std::vector<double>& scale, const std::vector<Eigen::Index>& offsets) {
  Vector s(offsets.back());
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) s.segment(offsets[t], offsets[t + 1] - offsets[t]).setConstant(scale.at(t));
  return s;
}

}  // namespace

double residual_square(const GroupStatistics& group, const Vector& weights) {
  long double cross = 0;
  for (Eigen::Index i = 0; i < weights.size(); ++i) cross += static_cast<long double>(weights[i]) * group.moment[i];
  const auto rss = static_cast<double>(group.target_square - 2 * cross + group.gram.quadratic_form(weights));
  if (rss >= 0) return rss;
  // The sums over the rows were rounded: |Σ_i v_i φ_i| ≤ Σ_i |v_i| √G_ii.
  const double reach = std::sqrt(group.target_square) + weights.cwiseAbs().dot(group.gram.diagonal().cwiseSqrt());
  if (!(rss >= -64 * epsilon * reach * reach))
    throw NumericalError("the residuals of property '" + std::string(property_name(group.group.property)) + "', class '" +
                         group.group.config_class + "', have a square sum of " + std::to_string(rss) + ": the statistics are damaged");
  return 0;
}

Evidence::Evidence(const SufficientStatistics& statistics, std::vector<Eigen::Index> offsets, bool variational)
    : statistics_(statistics), offsets_(std::move(offsets)), packed_(offsets_.back()), a_(offsets_.back(), offsets_.back()) {
  if (!variational) return;
  for (const GroupStatistics& g : statistics_.groups) {
    novelty_.emplace_back(offsets_.size() - 1, 0.0);
    if (g.count == 0) continue;
    if (g.prior.size() + 1 != offsets_.size())
      throw InputError(
          "objective \"vfe\" needs the prior variances of the training rows, which these statistics do not hold; fit with "
          "[optimize] objective = \"vfe\"");
    const Vector diagonal = g.gram.diagonal();
    for (std::size_t t = 0; t < g.prior.size(); ++t)
      novelty_.back()[t] = std::max(0.0, g.prior[t] - diagonal.segment(offsets_[t], offsets_[t + 1] - offsets_[t]).sum());
  }
}

Evidence::Value Evidence::compute(const std::vector<double>& sigma, const std::vector<double>& scale, bool with_gradient) {
  const auto& groups = statistics_.groups;
  if (sigma.size() != groups.size() || scale.size() + 1 != offsets_.size())
    throw Error("Evidence: one sigma per group, one scale per term");
  const Vector s = expanded(scale, offsets_);
  Vector b = Vector::Zero(s.size());
  packed_.set_zero();
  Value value;
  double noise = 0;  // Σ_g n_g log 2πσ_g² − ℓ_g
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0) continue;
    const double precision = 1 / (sigma[g] * sigma[g]);
    packed_.add(groups[g].gram, precision);
    b += precision * groups[g].moment;
    noise += static_cast<double>(groups[g].count) * std::log(2 * std::numbers::pi * sigma[g] * sigma[g]) - groups[g].log_weight;
  }
  packed_.copy_lower_to(a_);
  a_.triangularView<Eigen::StrictlyUpper>().setZero();
  a_ = s.asDiagonal() * a_ * s.asDiagonal();
  a_.diagonal().array() += 1;
  b = s.cwiseProduct(b);
  const double trace = a_.trace();
  if (!std::isfinite(trace) || !b.allFinite()) throw NumericalError("the statistics of the training data hold NaN or infinity");
  if (!cholesky(a_))
    throw NumericalError("the posterior precision is not positive definite: sigma is too small for the rounding of the data");
  const double log_determinant = 2 * a_.diagonal().array().log().sum();
  const auto solve = [&](const Vector& x) { return solve_lower_transposed(a_, solve_lower(a_, x)); };
  Vector u = solve(b);
  // One step of refinement: the residual b − A u from the sums themselves.
  u += solve(b - u - s.cwiseProduct(packed_ * s.cwiseProduct(u)));
  const Vector weights = s.cwiseProduct(u);

  double misfit = u.squaredNorm();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    value.residual_square.push_back(groups[g].count == 0 ? 0 : residual_square(groups[g], weights));
    misfit += value.residual_square[g] / (sigma[g] * sigma[g]);
  }
  std::vector<double> novelty(groups.size(), 0.0);  // Σ_t s_t² (τ_gt − tr_t G_g)/σ_g²
  for (std::size_t g = 0; g < novelty_.size(); ++g)
    for (std::size_t t = 0; t < scale.size(); ++t) novelty[g] += scale[t] * scale[t] * novelty_[g][t] / (sigma[g] * sigma[g]);
  for (const double n : novelty) misfit += n;
  value.log_evidence = -0.5 * (noise + misfit + log_determinant);
  value.rounding = epsilon * trace;
  if (!std::isfinite(value.log_evidence)) throw NumericalError("the log evidence is not finite");
  if (!with_gradient) return value;

  invert_from_cholesky(a_);
  for (std::size_t t = 0; t + 1 < offsets_.size(); ++t) {
    const Eigen::Index first = offsets_[t], count = offsets_[t + 1] - first;
    value.log_scale_gradient.push_back(a_.diagonal().segment(first, count).sum() - static_cast<double>(count) +
                                       u.segment(first, count).squaredNorm());
    for (std::size_t g = 0; g < novelty_.size(); ++g)
      value.log_scale_gradient.back() -= scale[t] * scale[t] * novelty_[g][t] / (sigma[g] * sigma[g]);
  }
  a_ = s.asDiagonal() * a_ * s.asDiagonal();
  packed_.assign_lower(a_);  // S A⁻¹ S
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0) {
      value.log_sigma_gradient.push_back(0);
      continue;
    }
    const double spread = packed_.inner_product(groups[g].gram);
    value.log_sigma_gradient.push_back((value.residual_square[g] + spread) / (sigma[g] * sigma[g]) - static_cast<double>(groups[g].count) +
                                       novelty[g]);
  }
  return value;
}

}  // namespace gapkit
