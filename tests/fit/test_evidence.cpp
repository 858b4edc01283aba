// The log evidence and its gradient: against the posterior's, against extended precision, and against finite differences.

#include <Eigen/Cholesky>
#include <gapkit/fit/evidence.hpp>
#include <numbers>
#include <random>

#include "support/dense_reference.hpp"
#include "support/distributions.hpp"
#include "support/random_sums.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// The same function in extended precision, from the formula with q/σ² − bᵀu.
long double exact_log_evidence(const RandomSums& sums, const std::vector<long double>& sigma, const std::vector<long double>& scale) {
  const Eigen::Index size = sums.offsets.back();
  LongVector s(size);
  for (std::size_t t = 0; t < scale.size(); ++t)
    for (Eigen::Index i = sums.offsets[t]; i < sums.offsets[t + 1]; ++i) s[i] = scale[t];
  LongMatrix a = LongMatrix::Zero(size, size);
  LongVector b = LongVector::Zero(size);
  long double sum = 0;
  for (std::size_t g = 0; g < sigma.size(); ++g) {
    const GroupStatistics& group = sums.statistics.groups[g];
    const long double precision = 1 / (sigma[g] * sigma[g]);
    a += precision * group.gram.dense().cast<long double>();
    b += precision * group.moment.cast<long double>();
    sum += static_cast<long double>(group.count) * std::log(2 * std::numbers::pi_v<long double> / precision) - group.log_weight +
           group.target_square * precision;
  }
  a = LongMatrix(s.asDiagonal() * a * s.asDiagonal()) + LongMatrix::Identity(size, size);
  b = s.cwiseProduct(b);
  const Eigen::LLT<LongMatrix> factor(a);
  const LongMatrix lower = factor.matrixL();
  return -0.5L * (sum + 2 * lower.diagonal().array().log().sum() - b.dot(factor.solve(b)));
}

// d/dx by central differences of sixth order: the step may be large, so that rounding of q/σ² does not matter.
template <class F>
long double derivative(F&& f, long double step) {
  const auto difference = [&](int k) { return f(k * step) - f(-k * step); };
  return (45 * difference(1) - 9 * difference(2) + difference(3)) / (60 * step);
}

struct Case {
  const char* name;
  std::vector<int> counts;
  std::vector<Eigen::Index> offsets;
  std::vector<double> sigma, scale;
};

const std::vector<Case> cases = {
    {"one group, one term", {40}, {0, 12}, {0.05}, {1}},
    {"odd size, two terms", {9, 60, 30}, {0, 8, 21}, {0.02, 0.1, 0.3}, {1, 1}},
    {"amplitudes changed, two classes", {9, 60, 30, 5, 33}, {0, 8, 20, 31}, {0.02, 0.1, 0.3, 0.007, 0.4}, {0.3, 2, 1.5}},
    {"energies followed exactly", {9, 60}, {0, 20}, {1e-5, 0.1}, {1}},
    {"more exact energies than weights", {50, 60}, {0, 6, 20}, {1e-5, 0.1}, {1, 2}},
    {"everything followed exactly", {9, 30}, {0, 20, 50}, {1e-5, 1e-4}, {0.5, 2}},
    {"almost nothing followed", {9, 30}, {0, 20}, {1e3, 1e4}, {1e-3}},
};

}  // namespace

TEST_CASE("the log evidence equals the formula in extended precision") {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const RandomSums sums = random_sums(c.counts, c.offsets, 3);
    Evidence evidence(sums.statistics, sums.offsets);
    const Evidence::Value value = evidence.compute(c.sigma, c.scale);
    const auto exact = static_cast<double>(exact_log_evidence(sums, {c.sigma.begin(), c.sigma.end()}, {c.scale.begin(), c.scale.end()}));
    check_close(value.log_evidence, exact, 1e-9 + 10 * value.rounding, 1e-10);
    CHECK(evidence.compute(c.sigma, c.scale, false).log_evidence == value.log_evidence);
  }
}

TEST_CASE("the gradient equals finite differences of the log evidence to 1e-6, tiny sigmas included") {
  for (const Case& c : cases)
    for (const unsigned seed : {1u, 2u, 3u}) {
      CAPTURE(c.name);
      CAPTURE(seed);
      const RandomSums sums = random_sums(c.counts, c.offsets, seed);
      const Evidence::Value value = Evidence(sums.statistics, sums.offsets).compute(c.sigma, c.scale);
      std::vector<double> analytic = value.log_sigma_gradient, numeric;
      analytic.insert(analytic.end(), value.log_delta_gradient.begin(), value.log_delta_gradient.end());
      const std::vector<long double> sigma(c.sigma.begin(), c.sigma.end()), scale(c.scale.begin(), c.scale.end());
      for (std::size_t p = 0; p < sigma.size() + scale.size(); ++p)
        numeric.push_back(static_cast<double>(derivative(
            [&](long double step) {
              auto changed_sigma = sigma, changed_scale = scale;
              (p < sigma.size() ? changed_sigma[p] : changed_scale[p - sigma.size()]) *= std::exp(step);
              return exact_log_evidence(sums, changed_sigma, changed_scale);
            },
            0.03L)));
      REQUIRE(analytic.size() == numeric.size());
      for (std::size_t p = 0; p < numeric.size(); ++p) {
        CAPTURE(p);
        // What the gradient is a difference of: the number of rows, or of columns.
        const double unit =
            p < sigma.size() ? c.counts[p] : static_cast<double>(c.offsets[p - sigma.size() + 1] - c.offsets[p - sigma.size()]);
        check_close(analytic[p], numeric[p], 1e-6 * unit, 1e-6);
      }
    }
}

TEST_CASE("the variational bound: below the evidence by the novelty of the rows, its gradient equals finite differences") {
  RandomSums sums = random_sums({9, 60, 30}, {0, 8, 21}, 4);
  for (std::size_t g = 0; g < 3; ++g) {
    const Vector diagonal = sums.statistics.groups[g].gram.diagonal();
    sums.statistics.groups[g].prior = {diagonal.head(8).sum() + 0.01, diagonal.tail(13).sum() + 0.3};
  }
  const std::vector<double> sigma = {0.02, 0.1, 0.3}, scale = {0.5, 2};
  Evidence bound(sums.statistics, sums.offsets, true);
  double novelty = 0;
  for (const double s : sigma) novelty += (0.25 * 0.01 + 4 * 0.3) / (2 * s * s);
  check_close(bound.compute(sigma, scale).log_evidence,
              Evidence(sums.statistics, sums.offsets).compute(sigma, scale).log_evidence - novelty, 1e-8);
  const Evidence::Value value = bound.compute(sigma, scale);
  for (std::size_t p = 0; p < 5; ++p) {
    CAPTURE(p);
    const auto f = [&](long double step) -> long double {
      auto changed_sigma = sigma, changed_scale = scale;
      (p < 3 ? changed_sigma[p] : changed_scale[p - 3]) *= std::exp(static_cast<double>(step));
      return bound.compute(changed_sigma, changed_scale, false).log_evidence;
    };
    check_close(p < 3 ? value.log_sigma_gradient[p] : value.log_delta_gradient[p - 3], static_cast<double>(derivative(f, 0.01L)), 1e-7,
                1e-6);
  }
  sums.statistics.groups[1].prior.clear();
  CHECK(message_of<std::exception>([&] { Evidence(sums.statistics, sums.offsets, true); }).find("vfe") != std::string::npos);
}

TEST_CASE("Evidence and posterior agree at the same sigmas and amplitudes") {
  const Case& c = cases[2];
  const RandomSums sums = random_sums(c.counts, c.offsets, 5);
  std::vector<Matrix> blocks;
  for (std::size_t t = 0; t + 1 < c.offsets.size(); ++t) {
    const Eigen::Index size = c.offsets[t + 1] - c.offsets[t];
    blocks.push_back(Matrix::Identity(size, size));
  }
  const SparseFactor factor(blocks, std::vector<double>(blocks.size(), 0.0));
  const Posterior posterior = solve_posterior(sums.statistics, factor, c.scale, &c.sigma);
  check_close(Evidence(sums.statistics, sums.offsets).compute(c.sigma, c.scale).log_evidence, posterior.log_evidence, 0, 1e-11);
}

TEST_CASE("residual sums equal sums over the rows, and damaged statistics are refused") {
  const Eigen::Index size = 7;
  std::mt19937 random(4);
  test::Normal normal;
  Matrix rows(30, size);
  for (Eigen::Index i = 0; i < rows.size(); ++i) rows.data()[i] = normal(random);
  Vector y(30), weights(size);
  for (double& value : y) value = normal(random);
  for (double& value : weights) value = normal(random);
  GroupStatistics group;
  group.gram = SymmetricAccumulator(size);
  group.gram.add_rows(rows);
  group.moment = rows.transpose() * y;
  group.target_square = y.squaredNorm();
  group.count = 30;
  check_close(residual_square(group, weights), (y - rows * weights).squaredNorm(), 0, 1e-13);
  // Targets that the weights hit exactly: rounding may make the sum negative, which is zero.
  const Vector hit = rows * weights;
  group.moment = rows.transpose() * hit;
  group.target_square = hit.squaredNorm();
  CHECK(residual_square(group, weights) >= 0);
  CHECK(residual_square(group, weights) <= 1e-12);
  group.target_square *= 0.9;
  CHECK(message_of<std::exception>([&] { residual_square(group, weights); }).find("damaged") != std::string::npos);
  group.target_square = std::numeric_limits<double>::quiet_NaN();
  CHECK(message_of<std::exception>([&] { residual_square(group, weights); }).find("damaged") != std::string::npos);
}
