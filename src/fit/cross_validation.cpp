#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/fit/evidence.hpp>
#include <gapkit/model/noise.hpp>
#include <set>

namespace gapkit {
namespace {}  // namespace

// Sums over the folds, by property.
struct CrossValidation::Sums {
  PerTarget<double> square, rows;
  PerTarget<std::vector<double>> by_sigma, by_scale;  // ∂ square / ∂ log σ_g, ∂ log s_t
};

CrossValidation::CrossValidation(const SufficientStatistics& statistics, std::vector<Eigen::Index> offsets,
                                 const PerTarget<double>& property_weights)
    : statistics_(statistics),
      offsets_(std::move(offsets)),
      property_weights_(property_weights),
      all_(offsets_.back()),
      train_(offsets_.back()),
      a_(offsets_.back(), offsets_.back()) {
  std::set<int> folds;
  for (const GroupStatistics& g : statistics_.groups)
    if (g.count > 0) folds.insert(g.group.fold);
  folds_.assign(folds.begin(), folds.end());
  if (folds_.size() < 2)
    throw InputError("cross-validation needs at least two folds with data, found " + std::to_string(folds_.size()) +
                     "; check [optimize] folds and fold");
}

CrossValidation::Value CrossValidation::compute(const std::vector<double>& sigma, const std::vector<double>& scale, bool with_gradient) {
  const auto& groups = statistics_.groups;
  if (sigma.size() != groups.size() || scale.size() + 1 != offsets_.size())
    throw Error("CrossValidation: one sigma per group, one scale per term");
  Vector s(offsets_.back());
  for (std::size_t t = 0; t < scale.size(); ++t) s.segment(offsets_[t], offsets_[t + 1] - offsets_[t]).setConstant(scale[t]);
  Value value;
  value.residual_square.assign(groups.size(), 0.0);
  Sums sums;
  sums.by_sigma = PerTarget<std::vector<double>>(std::vector<double>(groups.size(), 0.0));
  sums.by_scale = PerTarget<std::vector<double>>(std::vector<double>(scale.size(), 0.0));
  all_.set_zero();
  for (std::size_t g = 0; g < groups.size(); ++g)
    if (groups[g].count > 0) all_.add(groups[g].gram, 1 / (sigma[g] * sigma[g]));
  for (const int fold : folds_) add_fold(fold, sigma, s, with_gradient, value, sums);

  value.log_sigma_gradient.assign(groups.size(), 0.0);
  value.log_scale_gradient.assign(scale.size(), 0.0);
  for (const TargetInfo& target : targets()) {
    const Property p = target.property;
    const double weight = property_weights_[p];
    if (sums.rows[p] == 0 || weight == 0) continue;
    value.loss += 0.5 * weight * std::log(sums.square[p] / sums.rows[p]);
    const double factor = 0.5 * weight / sums.square[p];
    for (std::size_t g = 0; g < groups.size(); ++g) value.log_sigma_gradient[g] += factor * sums.by_sigma[p][g];
    for (std::size_t t = 0; t < scale.size(); ++t) value.log_scale_gradient[t] += factor * sums.by_scale[p][t];
  }
  if (!std::isfinite(value.loss)) throw NumericalError("the cross-validation error is not finite");
  return value;
}

void CrossValidation::add_fold(int fold, const std::vector<double>& sigma, const Vector& s, bool with_gradient, Value& value, Sums& sums) {
  const auto& groups = statistics_.groups;
  train_ = all_;
  Vector b = Vector::Zero(s.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0) continue;
    const double precision = 1 / (sigma[g] * sigma[g]);
    if (groups[g].group.fold == fold)
      train_.add(groups[g].gram, -precision);
    else
      b += precision * groups[g].moment;
  }
  train_.copy_lower_to(a_);
  a_.triangularView<Eigen::StrictlyUpper>().setZero();
  a_ = s.asDiagonal() * a_ * s.asDiagonal();
  a_.diagonal().array() += 1;
  if (!b.allFinite() || !a_.diagonal().allFinite()) throw NumericalError("the statistics of the training data hold NaN or infinity");
  if (!cholesky(a_))
    throw NumericalError("the posterior precision is not positive definite: sigma is too small for the rounding of the data");
  // (S⁻² + Γ)⁻¹ = S A⁻¹ S
  const auto solve = [&](const Vector& x) -> Vector {
    return s.cwiseProduct(solve_lower_transposed(a_, solve_lower(a_, s.cwiseProduct(x))));
  };
  const Vector weights = solve(b);

  PerTarget<Vector> adjoint(Vector::Zero(s.size()));  // first Σ (G v − b) over the fold's groups of a property, then solved
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0 || groups[g].group.fold != fold) continue;
    value.residual_square[g] = residual_square(groups[g], weights);
    // Rows with a σ of their own were divided by it: times its root mean square they are errors as the others are.
    const double unit = groups[g].group.fixed ? own_noise(statistics_.noise, groups[g].group.property) : 1;
    if (unit == 0) continue;
    const Property p = groups[g].group.property;
    sums.square[p] += unit * unit * value.residual_square[g];
    sums.rows[p] += static_cast<double>(groups[g].count);
    if (with_gradient) adjoint[p] += unit * unit * (groups[g].gram * weights - groups[g].moment);
  }
  if (!with_gradient) return;
  for (const TargetInfo& target : targets()) adjoint[target.property] = solve(adjoint[target.property]);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0 || groups[g].group.fold == fold || groups[g].group.fixed) continue;
    const Vector slope = (groups[g].gram * weights - groups[g].moment) * (4 / (sigma[g] * sigma[g]));
    for (const TargetInfo& target : targets()) sums.by_sigma[target.property][g] += adjoint[target.property].dot(slope);
  }
  for (std::size_t t = 0; t + 1 < offsets_.size(); ++t) {
    const Eigen::Index first = offsets_[t], count = offsets_[t + 1] - first;
    if (count == 0) continue;
    const double factor = 4 / (s[first] * s[first]);
    for (const TargetInfo& target : targets())
      sums.by_scale[target.property][t] += factor * adjoint[target.property].segment(first, count).dot(weights.segment(first, count));
  }
}

}  // namespace gapkit
