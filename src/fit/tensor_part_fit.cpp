#include "fit/tensor_part_fit.hpp"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/evidence.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "fit/leave_one_out.hpp"
#include "fit/maximize.hpp"

namespace gapkit {
namespace {

constexpr double first_sigma = 0.01, least_sigma = 1e-3, largest_sigma = 10;  // of the labels
constexpr double largest_factor = 1000;                                       // of δ
constexpr double least_pivot_of_left_out = 1e-11;
constexpr std::int64_t fewest_left_out = 5;

}  // namespace

TensorPartFit::TensorPartFit(const TensorOptions& options, const std::vector<TensorTerm>& terms, const TensorFacts& facts, int lambda,
                             double jitter)
    : options_(options), terms_(terms), rms_(std::sqrt(facts.mean_square.at(lambda))) {
  if (!(rms_ > 0))
    throw InputError(fmt::format("[[tensor]] '{}': the components of lambda = {} are zero in all frames{}; there is nothing to fit",
                                 options.keys.name, lambda, lambda == 0 ? " without the values that the composition gives" : ""));
  part_.lambda = lambda;
  if (lambda == 0) part_.means = facts.means;
  for (const TensorTerm& term : terms) {
    const TermOptions& given = options.terms[static_cast<std::size_t>(term.amplitude)];
    part_.delta.push_back(options.optimize ? rms_ : given.delta);
  }
  kernel_ = std::make_unique<TensorKernel>(terms, options.keys.target, lambda, part_.delta);
  part_.factor = kernel_->factor(jitter);
  GroupStatistics& group = statistics_.groups.emplace_back();
  group.group.property = Property::value;
  group.group.sigma = options.sigma > 0 ? options.sigma : first_sigma * rms_;
  group.gram = SymmetricAccumulator(columns());
  group.moment = Vector::Zero(columns());
}

Matrix TensorPartFit::residual_label(const Structure& frame, const Matrix& label) const {
  Matrix t = spherical_components(label, options_.keys, part_.lambda);
  if (part_.lambda == 0) t -= tensor_baseline(part_.means, frame.atomic_numbers, options_.keys);
  return t;
}

void TensorPartFit::add(const Structure& frame, const std::vector<TensorEnvironments>& environments, const Matrix& label) {
  const Matrix t = residual_label(frame, label);
  Matrix rows = kernel_->rows(environments, frame.size());
  part_.factor.whiten(rows);
  const double h = tensor_noise_scale(options_.keys, frame.size()), weight = 1 / (h * h);
  const Eigen::Map<const Vector> y(t.data(), t.size());
  GroupStatistics& group = statistics_.groups.front();
  group.gram.add_rows(rows, weight);
  group.moment += weight * (rows.transpose() * y);
  group.target_square += weight * y.squaredNorm();
  group.count += y.size();
  group.log_weight += static_cast<double>(y.size()) * std::log(weight);
}

void TensorPartFit::optimize() {
  std::vector<std::int64_t> amplitudes;
  for (const TensorTerm& term : terms_) amplitudes.push_back(term.amplitude);
  const std::size_t groups = static_cast<std::size_t>(*std::max_element(amplitudes.begin(), amplitudes.end())) + 1;
  Evidence evidence(statistics_, kernel_->offsets());
  const double start = statistics_.groups.front().group.sigma;
  const auto ratios_of = [&](const std::vector<double>& x) {
    std::vector<double> ratio;
    for (const std::int64_t a : amplitudes) ratio.push_back(std::exp(x[1 + static_cast<std::size_t>(a)]));
    return ratio;
  };
  const Objective objective = [&](const std::vector<double>& x, std::vector<double>& gradient) {
    const Evidence::Value value = evidence.compute({start * std::exp(x[0])}, ratios_of(x));
    std::fill(gradient.begin(), gradient.end(), 0.0);
    gradient[0] = value.log_sigma_gradient[0];
    for (std::size_t t = 0; t < amplitudes.size(); ++t)
      gradient[1 + static_cast<std::size_t>(amplitudes[t])] += value.log_delta_gradient[t];
    return value.log_evidence;
  };
  SearchLimits limits;
  limits.lower.assign(1 + groups, -std::log(largest_factor));
  limits.upper.assign(1 + groups, std::log(largest_factor));
  limits.lower[0] = std::log(least_sigma * rms_ / start);
  limits.upper[0] = std::log(largest_sigma * rms_ / start);
  limits.reach = 2;
  limits.tolerance = 1e-3;
  limits.max_evaluations = 200;
  std::vector<double> first(1 + groups, 0.0);
  first[0] = std::clamp(0.0, limits.lower[0], limits.upper[0]);
  const Maximum best = maximize(objective, first, limits);
  statistics_.groups.front().group.sigma = start * std::exp(best.x[0]);
  part_.posterior.delta_ratio = ratios_of(best.x);
}

void TensorPartFit::solve() {
  part_.posterior.delta_ratio.assign(terms_.size(), 1.0);
  if (options_.optimize) optimize();
  part_.posterior = solve_posterior(statistics_, part_.factor, part_.posterior.delta_ratio);
  // The final δ goes into K_MM, so that all covariances have ratio 1.
  std::vector<Matrix> blocks = part_.factor.blocks();
  std::vector<double> jitter = part_.factor.jitter();
  for (std::size_t t = 0; t < blocks.size(); ++t) {
    double& ratio = part_.posterior.delta_ratio[t];
    blocks[t] *= ratio;
    jitter[t] *= ratio * ratio;
    part_.delta[t] *= ratio;
    ratio = 1;
  }
  part_.factor = SparseFactor(std::move(blocks), std::move(jitter));
  part_.weights = kernel_weights(part_.factor, part_.posterior);
  if (!part_.weights.allFinite()) throw NumericalError("the weights of a tensor came out as NaN or infinity");
  kernel_ = std::make_unique<TensorKernel>(terms_, options_.keys.target, part_.lambda, part_.delta);
}

std::vector<Eigen::Index> TensorPartFit::own_columns(std::int64_t number) const {
  std::vector<Eigen::Index> own;
  const Eigen::Index n = kernel_->components();
  for (std::size_t t = 0; t < terms_.size(); ++t)
    for (std::size_t m = 0; m < terms_[t].origin.size(); ++m)
      if (terms_[t].origin[m].frame == number)
        for (Eigen::Index mu = 0; mu < n; ++mu) own.push_back(kernel_->offsets()[t] + n * static_cast<Eigen::Index>(m) + mu);
  return own;
}

void TensorPartFit::leave_out(const Structure& frame, std::int64_t number, const std::vector<TensorEnvironments>& environments,
                              const Matrix& label) {
  const Matrix t = residual_label(frame, label);
  Matrix rows = kernel_->rows(environments, frame.size());
  const std::vector<Matrix> prior = kernel_->prior(environments, frame.size());
  part_.factor.whiten(rows);
  const double noise = part_.sigma() * tensor_noise_scale(options_.keys, frame.size());
  WeightedRows weighted;
  weighted.rows = rows / noise;
  weighted.target = Eigen::Map<const Vector>(t.data(), t.size()) / noise;
  weighted.own_points = own_columns(number);
  weighted.wants_covariances = true;
  const std::optional<LeftOutRows> found = LeaveOneOut(part_.factor, part_.posterior).without(weighted, least_pivot_of_left_out);
  if (!found) return;
  const Eigen::Index n = kernel_->components();
  double sum = 0;
  for (std::size_t r = 0; r < prior.size(); ++r) {
    const Eigen::Index at = n * static_cast<Eigen::Index>(r);
    const auto phi = rows.middleRows(at, n);
    Matrix c = prior[r] - phi * phi.transpose() +
               noise * noise * (found->own_covariance.block(at, at, n, n) + found->data_covariance.block(at, at, n, n));
    c = 0.5 * (c + Matrix(c.transpose()));
    c.diagonal().array() += noise * noise;
    const Vector e = noise * found->error.segment(at, n);
    const Eigen::LDLT<Eigen::MatrixXd> inverse{Eigen::MatrixXd(c)};
    sum += e.dot(inverse.solve(e)) / static_cast<double>(n);
    error_square_ += e.squaredNorm() / std::pow(tensor_noise_scale(options_.keys, frame.size()), 2);
  }
  if (!std::isfinite(sum) || !(sum >= 0)) throw NumericalError(frame.place() + "the left-out covariance of a tensor is not positive");
  mahalanobis_ += sum / static_cast<double>(prior.size());
  left_out_rows_ += t.size();
  ++left_out_;
}

TensorPart TensorPartFit::finish(bool has_scale, TensorReport& report) {
  const GroupStatistics& group = statistics_.groups.front();
  report.name = options_.keys.name;
  report.lambda = part_.lambda;
  report.rows = group.count;
  report.columns = columns();
  report.sigma = part_.sigma();
  report.delta = part_.delta;
  report.log_evidence = part_.posterior.log_evidence;
  report.spread = rms_;
  report.left_out = left_out_;
  if (left_out_ > 0) {
    report.mahalanobis = mahalanobis_ / static_cast<double>(left_out_);
    report.error = std::sqrt(error_square_ / static_cast<double>(left_out_rows_));
  }
  if (has_scale && left_out_ >= fewest_left_out) {
    part_.scale = std::sqrt(report.mahalanobis);
    part_.left_out = left_out_;
  }
  return std::move(part_);
}

}  // namespace gapkit
