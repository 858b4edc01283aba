#include "fit/tensor_part_fit.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/evidence.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <limits>
#include <numbers>

#include "fit/maximize.hpp"

namespace gapkit {
namespace {

constexpr double first_sigma = 0.01, least_sigma = 1e-3, largest_sigma = 10;  // of the labels
constexpr double largest_factor = 1000;                                       // of δ
constexpr double least_pivot_of_left_out = 1e-11;
constexpr std::int64_t fewest_left_out = 5, fewest_for_two_scales = 20;

/// Noise over epistemic part, of the factors of a covariance: 10⁻⁶ … 100.
constexpr std::size_t scale_ratios = 33;
double scale_ratio(std::size_t k) {
  return std::pow(10.0, -6 + 0.25 * static_cast<double>(k));
}

}  // namespace

TensorPartFit::TensorPartFit(const TensorOptions& options, const std::vector<TensorTerm>& terms, const TensorFacts& facts, int lambda,
                             const FitOptions& all)
    : options_(options),
      terms_(terms),
      facts_(facts),
      is_variational_(all.optimize.objective == OptimizeOptions::Objective::vfe),
      rms_(std::sqrt(facts.mean_square.at(lambda))),
      derivative_rms_(std::sqrt(facts.derivative_mean_square.at(lambda))) {
  if (facts.labels > 0 ? !(rms_ > 0) : !(derivative_rms_ > 0))
    throw InputError(fmt::format("[[tensor]] '{}': the {} of lambda = {} are zero in all frames{}; there is nothing to fit",
                                 options.keys.name, facts.labels > 0 ? "components" : "derivatives", lambda,
                                 facts.labels > 0 && lambda == 0 ? " without the values that the composition gives" : ""));
  part_.lambda = lambda;
  if (lambda == 0) part_.means = facts.means;
  for (const TensorTerm& term : terms) {
    const TermOptions& given = options.terms[static_cast<std::size_t>(term.amplitude)];
    part_.delta.push_back(!options.optimize ? given.delta : facts.labels > 0 ? rms_ : derivative_rms_);
  }
  if (is_variational_ && options.optimize && facts.derivatives > 0)
    throw InputError(fmt::format("[[tensor]] '{}': objective = \"vfe\" does not go with 'derivatives'; expected \"evidence\" in [optimize]",
                                 options.keys.name));
  distances_.assign(scale_ratios, 0.0);
  log_determinants_ = distances_;
  make_kernel();
  part_.factor = kernel_->factor(all.jitter);
  if (facts.labels > 0) add_group("default", options.sigma > 0 ? options.sigma : first_sigma * rms_);
  if (facts.derivatives > 0 && derivative_rms_ > 0)
    add_group(TensorPart::derivatives_class, options.derivatives_sigma > 0 ? options.derivatives_sigma : first_sigma * derivative_rms_);
}

TensorPartFit::TensorPartFit(const TensorOptions& options, const std::vector<TensorTerm>& terms, const TensorFacts& facts, TensorPart part)
    : options_(options), terms_(terms), facts_(facts), is_variational_(false), rms_(0), derivative_rms_(0), part_(std::move(part)) {
  make_kernel();
  for (const RowGroup& group : part_.posterior.groups) add_group(group.config_class, group.sigma);
}

TensorPart TensorPartFit::solve_with_more() {
  // The posterior is equal to one group of σ = 1 with the sums A − 1 and A u, whose q follows from the evidence.
  const Posterior& before = part_.posterior;
  Matrix a(columns(), columns());
  multiply_nt(before.factor, before.factor, a);
  GroupStatistics carried;
  carried.moment = a * before.mean;
  carried.count = 1;
  carried.log_weight = std::log(2 * std::numbers::pi);
  carried.target_square = before.mean.dot(carried.moment) - 2 * (before.log_evidence + before.factor.diagonal().array().log().sum());
  a.diagonal().array() -= 1;
  carried.gram = SymmetricAccumulator(columns());
  carried.gram.assign_lower(a);
  SufficientStatistics all = statistics_;
  all.groups.push_back(std::move(carried));
  Posterior after = solve_posterior(all, part_.factor, before.delta_ratio);
  after.groups = before.groups;
  part_.posterior = std::move(after);
  part_.weights = kernel_weights(part_.factor, part_.posterior);
  if (!part_.weights.allFinite()) throw NumericalError("the weights of a tensor came out as NaN or infinity");
  return std::move(part_);
}

void TensorPartFit::make_kernel() {
  kernel_ = std::make_unique<TensorKernel>(terms_, options_.keys.target, part_.lambda, part_.delta);
  if (facts_.derivatives > 0) kernel_->prepare_derivative_rows(terms_);
}

void TensorPartFit::add_group(const std::string& config_class, double sigma) {
  GroupStatistics& group = statistics_.groups.emplace_back();
  group.group.property = Property::value;
  group.group.config_class = config_class;
  group.group.sigma = sigma;
  group.gram = SymmetricAccumulator(columns());
  group.moment = Vector::Zero(columns());
}

GroupStatistics* TensorPartFit::group_of(const std::string& config_class) {
  for (GroupStatistics& group : statistics_.groups)
    if (group.group.config_class == config_class) return &group;
  return nullptr;
}

TensorPartFit::Rows TensorPartFit::rows_of_label(const TensorFrame& frame) const {
  Matrix t = spherical_components(*frame.label, options_.keys, part_.lambda);
  if (part_.lambda == 0) t -= tensor_baseline(part_.means, frame.structure.atomic_numbers, options_.keys);
  return {kernel_->rows(frame.environments, frame.structure.size()), Eigen::Map<const Vector>(t.data(), t.size()),
          tensor_noise_scale(options_.keys, frame.structure.size()),
          is_variational_ ? kernel_->prior_traces(frame.environments, frame.structure.size()) : std::vector<double>()};
}

TensorPartFit::Rows TensorPartFit::rows_of_derivatives(const TensorFrame& frame) const {
  const Matrix t = spherical_components(*frame.derivatives, options_.keys, part_.lambda);
  return {kernel_->derivative_rows(frame.neighbors, frame.environments, frame.structure.size()),
          Eigen::Map<const Vector>(t.data(), t.size())};
}

void TensorPartFit::add_rows(GroupStatistics* group, Rows rows) const {
  if (group == nullptr) return;
  part_.factor.whiten(rows.rows);
  const double weight = 1 / (rows.scale * rows.scale);
  group->gram.add_rows(rows.rows, weight);
  group->moment += weight * (rows.rows.transpose() * rows.values);
  group->prior.resize(rows.prior.size());
  for (std::size_t t = 0; t < rows.prior.size(); ++t) group->prior[t] += weight * rows.prior[t];
  group->target_square += weight * rows.values.squaredNorm();
  group->count += rows.values.size();
  group->log_weight += static_cast<double>(rows.values.size()) * std::log(weight);
}

void TensorPartFit::add(const TensorFrame& frame) {
  if (frame.label) add_rows(group_of("default"), rows_of_label(frame));
  if (frame.derivatives) add_rows(group_of(TensorPart::derivatives_class), rows_of_derivatives(frame));
}

void TensorPartFit::optimize() {
  std::vector<std::int64_t> amplitudes;
  for (const TensorTerm& term : terms_) amplitudes.push_back(term.amplitude);
  const std::size_t sigmas = statistics_.groups.size(),
                    all = sigmas + static_cast<std::size_t>(*std::max_element(amplitudes.begin(), amplitudes.end())) + 1;
  Evidence evidence(statistics_, kernel_->offsets(), is_variational_);
  std::vector<double> start;
  SearchLimits limits;
  limits.lower.assign(all, -std::log(largest_factor));
  limits.upper.assign(all, std::log(largest_factor));
  limits.reach = 2;
  limits.tolerance = 1e-3;
  limits.max_evaluations = 200;
  std::vector<double> first(all, 0.0);
  for (std::size_t g = 0; g < sigmas; ++g) {
    const RowGroup& group = statistics_.groups[g].group;
    const double rms = group.config_class == TensorPart::derivatives_class ? derivative_rms_ : rms_;
    start.push_back(group.sigma);
    limits.lower[g] = std::log(least_sigma * rms / group.sigma);
    limits.upper[g] = std::log(largest_sigma * rms / group.sigma);
    first[g] = std::clamp(0.0, limits.lower[g], limits.upper[g]);
  }
  const auto sigmas_of = [&](const std::vector<double>& x) {
    std::vector<double> sigma;
    for (std::size_t g = 0; g < sigmas; ++g) sigma.push_back(start[g] * std::exp(x[g]));
    return sigma;
  };
  const auto ratios_of = [&](const std::vector<double>& x) {
    std::vector<double> ratio;
    for (const std::int64_t a : amplitudes) ratio.push_back(std::exp(x[sigmas + static_cast<std::size_t>(a)]));
    return ratio;
  };
  const Objective objective = [&](const std::vector<double>& x, std::vector<double>& gradient) {
    const Evidence::Value value = evidence.compute(sigmas_of(x), ratios_of(x));
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::copy(value.log_sigma_gradient.begin(), value.log_sigma_gradient.end(), gradient.begin());
    for (std::size_t t = 0; t < amplitudes.size(); ++t)
      gradient[sigmas + static_cast<std::size_t>(amplitudes[t])] += value.log_delta_gradient[t];
    return value.log_evidence;
  };
  const Maximum best = maximize(objective, first, limits);
  const std::vector<double> sigma = sigmas_of(best.x);
  for (std::size_t g = 0; g < sigmas; ++g) statistics_.groups[g].group.sigma = sigma[g];
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
  make_kernel();
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

void TensorPartFit::leave_out(const TensorFrame& frame) {
  Rows label, derivatives;
  if (frame.label && part_.sigma() > 0) label = rows_of_label(frame);
  if (frame.derivatives && part_.derivatives_sigma() > 0) derivatives = rows_of_derivatives(frame);
  const Eigen::Index labels = label.values.size(), others = derivatives.values.size();
  if (labels + others == 0) return;
  WeightedRows weighted;
  weighted.rows.resize(labels + others, columns());
  weighted.target.resize(labels + others);
  if (labels > 0) {
    weighted.rows.topRows(labels) = label.rows / (part_.sigma() * label.scale);
    weighted.target.head(labels) = label.values / (part_.sigma() * label.scale);
  }
  if (others > 0) {
    weighted.rows.bottomRows(others) = derivatives.rows / part_.derivatives_sigma();
    weighted.target.tail(others) = derivatives.values / part_.derivatives_sigma();
  }
  part_.factor.whiten(weighted.rows);
  weighted.own_points = own_columns(frame.number);
  weighted.wants_covariances = true;
  const std::optional<LeftOutRows> found = LeaveOneOut(part_.factor, part_.posterior).without(weighted, least_pivot_of_left_out);
  if (!found) return;
  derivative_error_square_ += std::pow(part_.derivatives_sigma(), 2) * found->error.tail(others).squaredNorm();
  left_out_derivatives_ += others;
  if (labels > 0) count_errors(frame, *found, weighted.rows, labels);
}

/// Of the first rows, the labels. `phi`: whitened rows over their noise.
void TensorPartFit::count_errors(const TensorFrame& frame, const LeftOutRows& found, const MatrixView& phi, Eigen::Index labels) {
  const std::vector<Matrix> prior = kernel_->prior(frame.environments, frame.structure.size());
  const double h = tensor_noise_scale(options_.keys, frame.structure.size()), square = std::pow(part_.sigma() * h, 2);
  const Eigen::Index n = kernel_->components();
  const double share = 1 / static_cast<double>(n * static_cast<Eigen::Index>(prior.size()));
  for (std::size_t r = 0; r < prior.size(); ++r) {
    const Eigen::Index at = n * static_cast<Eigen::Index>(r);
    const auto rows = phi.middleRows(at, n);
    const Matrix c = prior[r] + square * (found.own_covariance.block(at, at, n, n) + found.data_covariance.block(at, at, n, n) -
                                          rows * rows.transpose());
    const Vector e = std::sqrt(square) * found.error.segment(at, n);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> axes(Eigen::MatrixXd(0.5 * (c + c.transpose())));
    const Vector variance = axes.eigenvalues().cwiseMax(0.0), along = (axes.eigenvectors().transpose() * e).cwiseAbs2();
    if (!variance.allFinite() || !along.allFinite())
      throw NumericalError(frame.structure.place() + "the left-out covariance of a tensor came out as NaN or infinity");
    for (std::size_t k = 0; k < distances_.size(); ++k) {
      const Vector all = variance.array() + scale_ratio(k) * square;
      distances_[k] += share * along.cwiseQuotient(all).sum();
      log_determinants_[k] += share * all.array().log().sum();
    }
    mahalanobis_ += share * along.cwiseQuotient(Vector(variance.array() + square)).sum();
    error_square_ += e.squaredNorm() / (h * h);
  }
  left_out_rows_ += labels;
  ++left_out_;
}

/// Maximises the likelihood of the left-out errors; their mean squared Mahalanobis distance is then 1. Few structures give one scale.
void TensorPartFit::choose_scales() {
  const auto count = static_cast<double>(left_out_);
  double square = mahalanobis_ / count, ratio = 1;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < distances_.size() && left_out_ >= fewest_for_two_scales; ++k) {
    const double mean = distances_[k] / count, likelihood = -std::log(mean) - log_determinants_[k] / count;
    if (!(likelihood > best)) continue;
    best = likelihood;
    square = mean;
    ratio = scale_ratio(k);
  }
  part_.scale = std::sqrt(square);
  part_.noise_scale = std::sqrt(square * ratio);
  part_.left_out = left_out_;
}

TensorPart TensorPartFit::finish(bool has_scale, TensorReport& report) {
  report.name = options_.keys.name;
  report.lambda = part_.lambda;
  if (const GroupStatistics* labels = group_of("default")) report.rows = labels->count;
  if (const GroupStatistics* derivatives = group_of(TensorPart::derivatives_class)) report.derivative_rows = derivatives->count;
  report.columns = columns();
  report.sigma = part_.sigma();
  report.derivatives_sigma = part_.derivatives_sigma();
  report.delta = part_.delta;
  report.log_evidence = part_.posterior.log_evidence;
  report.spread = rms_;
  report.derivative_spread = derivative_rms_;
  report.left_out = left_out_;
  if (left_out_ > 0) {
    report.mahalanobis = mahalanobis_ / static_cast<double>(left_out_);
    report.error = std::sqrt(error_square_ / static_cast<double>(left_out_rows_));
  }
  if (left_out_derivatives_ > 0) report.derivative_error = std::sqrt(derivative_error_square_ / static_cast<double>(left_out_derivatives_));
  if (has_scale && left_out_ >= fewest_left_out && mahalanobis_ > 0) choose_scales();
  return std::move(part_);
}

}  // namespace gapkit
