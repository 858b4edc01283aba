#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/fit/evidence.hpp>
#include <gapkit/math/parallel_tasks.hpp>
#include <gapkit/model/noise.hpp>
#include <set>

namespace gapkit {
namespace {

constexpr Eigen::Index small_factor = 3000;  // a factorisation of this size uses one or two threads

}  // namespace

struct CrossValidation::Point {
  const std::vector<double>& sigma;
  Vector s;  // of each sparse point
  bool with_gradient;
};

struct CrossValidation::Fold {
  Fold(std::size_t groups, std::size_t terms)
      : residual_square(groups, 0.0), by_sigma(std::vector<double>(groups, 0.0)), by_delta(std::vector<double>(terms, 0.0)) {}
  void operator+=(const Fold& other);

  std::vector<double> residual_square;  // by group
  PerTarget<double> square, rows;
  PerTarget<std::vector<double>> by_sigma, by_delta;  // ∂ square / ∂ log σ_g, ∂ log s_t
};

struct CrossValidation::WorkSpace {
  SymmetricAccumulator train;
  Matrix a;
};

void CrossValidation::Fold::operator+=(const Fold& other) {
  const auto add = [](auto& sum, const auto& terms) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += terms[i];
  };
  add(residual_square, other.residual_square);
  for (const TargetInfo& target : targets()) {
    const Property p = target.property;
    square[p] += other.square[p];
    rows[p] += other.rows[p];
    add(by_sigma[p], other.by_sigma[p]);
    add(by_delta[p], other.by_delta[p]);
  }
}

CrossValidation::CrossValidation(const SufficientStatistics& statistics, std::vector<Eigen::Index> offsets,
                                 const PerTarget<double>& property_weights)
    : statistics_(statistics), offsets_(std::move(offsets)), property_weights_(property_weights), all_(offsets_.back()) {
  std::set<int> folds;
  for (const GroupStatistics& g : statistics_.groups)
    if (g.count > 0 && g.group.fold != never_left_out) folds.insert(g.group.fold);
  folds_.assign(folds.begin(), folds.end());
  if (folds_.size() < 2)
    throw InputError("cross-validation needs at least two folds with data, found " + std::to_string(folds_.size()) +
                     "; check [optimize] folds and fold");
  const Eigen::Index m = offsets_.back();
  work_.resize(static_cast<std::size_t>(lanes(m, static_cast<int>(folds_.size()))));
  for (WorkSpace& work : work_) work = {SymmetricAccumulator(m), Matrix(m, m)};
}

CrossValidation::CrossValidation(CrossValidation&&) noexcept = default;
CrossValidation::~CrossValidation() = default;

int CrossValidation::lanes(Eigen::Index sparse_points, int folds) {
  return sparse_points > small_factor ? 1 : std::clamp(folds, 1, thread_count());
}

CrossValidation::Value CrossValidation::compute(const std::vector<double>& sigma, const std::vector<double>& delta_ratio,
                                                bool with_gradient) {
  const auto& groups = statistics_.groups;
  if (sigma.size() != groups.size() || delta_ratio.size() + 1 != offsets_.size())
    throw Error("CrossValidation: one sigma per group, one delta_ratio per term");
  Point point{sigma, Vector(offsets_.back()), with_gradient};
  for (std::size_t t = 0; t < delta_ratio.size(); ++t)
    point.s.segment(offsets_[t], offsets_[t + 1] - offsets_[t]).setConstant(delta_ratio[t]);
  all_.set_zero();
  for (std::size_t g = 0; g < groups.size(); ++g)
    if (groups[g].count > 0) all_.add(groups[g].gram, 1 / (sigma[g] * sigma[g]));
  std::vector<Fold> of_fold(folds_.size(), Fold(groups.size(), delta_ratio.size()));
  parallel_tasks(folds_.size(), static_cast<int>(work_.size()),
                 [&](std::size_t k, std::size_t lane) { of_fold[k] = compute_fold(folds_[k], point, work_[lane]); });
  Fold sum(groups.size(), delta_ratio.size());
  for (const Fold& fold : of_fold) sum += fold;

  Value value{.residual_square = sum.residual_square,
              .log_sigma_gradient = std::vector<double>(groups.size(), 0.0),
              .log_delta_gradient = std::vector<double>(delta_ratio.size(), 0.0),
              .fold_square = {},
              .fold_rows = {}};
  for (const Fold& fold : of_fold) {
    value.fold_square.push_back(fold.square);
    value.fold_rows.push_back(fold.rows);
  }
  for (const TargetInfo& target : targets()) {
    const Property p = target.property;
    const double weight = property_weights_[p];
    if (sum.rows[p] == 0 || weight == 0) continue;
    value.loss += 0.5 * weight * std::log(sum.square[p] / sum.rows[p]);
    const double factor = 0.5 * weight / sum.square[p];
    for (std::size_t g = 0; g < groups.size(); ++g) value.log_sigma_gradient[g] += factor * sum.by_sigma[p][g];
    for (std::size_t t = 0; t < delta_ratio.size(); ++t) value.log_delta_gradient[t] += factor * sum.by_delta[p][t];
  }
  if (!std::isfinite(value.loss)) throw NumericalError("the cross-validation error is not finite");
  return value;
}

CrossValidation::Fold CrossValidation::compute_fold(int fold, const Point& point, WorkSpace& work) const {
  const auto& groups = statistics_.groups;
  const auto& [sigma, s, with_gradient] = point;
  Fold result(groups.size(), offsets_.size() - 1);
  work.train = all_;
  Vector b = Vector::Zero(s.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0) continue;
    const double precision = 1 / (sigma[g] * sigma[g]);
    if (groups[g].group.fold == fold)
      work.train.add(groups[g].gram, -precision);
    else
      b += precision * groups[g].moment;
  }
  Matrix& a = work.a;
  work.train.copy_lower_to(a);
  a.triangularView<Eigen::StrictlyUpper>().setZero();
  a = s.asDiagonal() * a * s.asDiagonal();
  a.diagonal().array() += 1;
  if (!b.allFinite() || !a.diagonal().allFinite()) throw NumericalError("the statistics of the training data hold NaN or infinity");
  if (!cholesky(a))
    throw NumericalError("the posterior precision is not positive definite: sigma is too small for the rounding of the data");
  // (S⁻² + Γ)⁻¹ = S A⁻¹ S
  const auto solve = [&a, &scale = s](const Vector& x) -> Vector {
    return scale.cwiseProduct(solve_lower_transposed(a, solve_lower(a, scale.cwiseProduct(x))));
  };
  const Vector weights = solve(b);

  PerTarget<Vector> adjoint(Vector::Zero(s.size()));  // first Σ (G v − b) over the fold's groups of a property, then solved
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0 || groups[g].group.fold != fold) continue;
    result.residual_square[g] = residual_square(groups[g], weights);
    // Rows with a σ of their own were divided by it: the product with its root mean square has the unit of errors.
    const double unit = groups[g].group.fixed ? own_noise(statistics_.noise, groups[g].group.property) : 1;
    if (unit == 0) continue;
    const Property p = groups[g].group.property;
    result.square[p] += unit * unit * result.residual_square[g];
    result.rows[p] += static_cast<double>(groups[g].count);
    if (with_gradient) adjoint[p] += unit * unit * (groups[g].gram * weights - groups[g].moment);
  }
  if (!with_gradient) return result;
  for (const TargetInfo& target : targets()) adjoint[target.property] = solve(adjoint[target.property]);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count == 0 || groups[g].group.fold == fold || groups[g].group.fixed) continue;
    const Vector slope = (groups[g].gram * weights - groups[g].moment) * (4 / (sigma[g] * sigma[g]));
    for (const TargetInfo& target : targets()) result.by_sigma[target.property][g] += adjoint[target.property].dot(slope);
  }
  for (std::size_t t = 0; t + 1 < offsets_.size(); ++t) {
    const Eigen::Index first = offsets_[t], count = offsets_[t + 1] - first;
    if (count == 0) continue;
    const double factor = 4 / (s[first] * s[first]);
    for (const TargetInfo& target : targets())
      result.by_delta[target.property][t] += factor * adjoint[target.property].segment(first, count).dot(weights.segment(first, count));
  }
  return result;
}

}  // namespace gapkit
