// Cross-validation from statistics in folds: against weights solved without the fold, and its gradient against finite differences.

#include <Eigen/Cholesky>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "fit/folds.hpp"
#include "support/random_sums.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::vector<double> group_sigma = {0.02, 0.1, 0.3, 0.01};

std::vector<double> sigmas(const std::vector<double>& of_groups, int folds) {
  std::vector<double> all;
  for (int f = 0; f < folds; ++f) all.insert(all.end(), of_groups.begin(), of_groups.end());
  return all;
}

}  // namespace

TEST_CASE("residuals of a fold come from weights that are solved without it") {
  constexpr int folds = 3;
  const RandomSums sums = random_sums({7, 20, 9, 5}, {0, 8, 19}, 1, {0.05}, 1, folds);
  const std::vector<double> sigma = sigmas(group_sigma, folds), scale = {0.7, 2};
  CrossValidation validation(sums.statistics, sums.offsets, {1, 0.5, 2});
  const CrossValidation::Value value = validation.compute(sigma, scale);
  const auto& groups = sums.statistics.groups;
  Vector s(19);
  s << Vector::Constant(8, scale[0]), Vector::Constant(11, scale[1]);
  std::vector<double> square(3, 0.0), count(3, 0.0);
  for (int fold = 0; fold < folds; ++fold) {
    Eigen::MatrixXd a = s.cwiseInverse().cwiseAbs2().asDiagonal();
    Vector b = Vector::Zero(19);
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (groups[g].group.fold != fold) {
        a += sums.rows[g].transpose() * sums.rows[g] / (sigma[g] * sigma[g]);
        b += sums.rows[g].transpose() * sums.targets[g] / (sigma[g] * sigma[g]);
      }
    const Vector weights = a.llt().solve(b);
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (groups[g].group.fold != fold) continue;
      const double expected = (sums.targets[g] - sums.rows[g] * weights).squaredNorm();
      check_close(value.residual_square[g], expected, 0, 1e-8);
      square[static_cast<std::size_t>(groups[g].group.property)] += expected;
      count[static_cast<std::size_t>(groups[g].group.property)] += static_cast<double>(groups[g].count);
    }
  }
  const double loss = 0.5 * (std::log(square[0] / count[0]) + 0.5 * std::log(square[1] / count[1]) + 2 * std::log(square[2] / count[2]));
  check_close(value.loss, loss, 1e-9);
  CHECK(validation.compute(sigma, scale, false).loss == value.loss);
}

TEST_CASE("the gradient of the cross-validation loss equals finite differences") {
  constexpr int folds = 4;
  for (const unsigned seed : {1u, 2u}) {
    CAPTURE(seed);
    RandomSums sums = random_sums({7, 20, 9, 5}, {0, 8, 19}, seed, {0.05}, 1, folds);
    sums.statistics.groups[3].group.fixed = true;  // used for training, not judged
    const std::vector<double> sigma = sigmas(group_sigma, folds), scale = {0.7, 2};
    CrossValidation validation(sums.statistics, sums.offsets, {1, 0.5, 2});
    const CrossValidation::Value value = validation.compute(sigma, scale);
    const double h = 1e-3;
    double largest = 0;
    for (std::size_t p = 0; p < sigma.size() + scale.size(); ++p) {
      CAPTURE(p);
      const auto loss = [&](double step) {
        auto changed_sigma = sigma, changed_scale = scale;
        (p < sigma.size() ? changed_sigma[p] : changed_scale[p - sigma.size()]) *= std::exp(step);
        return validation.compute(changed_sigma, changed_scale, false).loss;
      };
      const double numeric = (8 * (loss(h) - loss(-h)) - (loss(2 * h) - loss(-2 * h))) / (12 * h);
      const double analytic = p < sigma.size() ? value.log_sigma_gradient[p] : value.log_delta_gradient[p - sigma.size()];
      if (p == 3) continue;  // σ of a fixed group is not a parameter
      if (p < sigma.size() && sums.statistics.groups[p].group.fixed) continue;
      check_close(analytic, numeric, 1e-9, 1e-6);
      largest = std::max(largest, std::abs(analytic));
    }
    CHECK(largest > 1e-3);
  }
}

TEST_CASE("cross-validation gives the same bits with any number of folds at a time") {
  constexpr int folds = 5;
  const RandomSums sums = random_sums({7, 20, 9, 5}, {0, 8, 19}, 1, {0.05}, 1, folds);
  const std::vector<double> sigma = sigmas(group_sigma, folds), scale = {0.7, 2};
  const int before = thread_count();
  std::vector<CrossValidation::Value> values;
  for (const int threads : {1, 3, 5}) {
    set_thread_count(threads);
    CHECK(CrossValidation::lanes(19, folds) == threads);
    values.push_back(CrossValidation(sums.statistics, sums.offsets, {1, 0.5, 2}).compute(sigma, scale));
  }
  CHECK(CrossValidation::lanes(100'000, folds) == 1);
  set_thread_count(before);
  for (const CrossValidation::Value& value : values) {
    CHECK(value.loss == values[0].loss);
    CHECK(value.residual_square == values[0].residual_square);
    CHECK(value.log_sigma_gradient == values[0].log_sigma_gradient);
    CHECK(value.log_delta_gradient == values[0].log_delta_gradient);
  }
}

TEST_CASE("cross-validation without two folds is refused") {
  const RandomSums sums = random_sums({7, 20}, {0, 8}, 1);
  CHECK(message_of<InputError>([&] { CrossValidation(sums.statistics, sums.offsets, {1, 1, 1}); }).find("folds") != std::string::npos);
}

TEST_CASE("folds: shares are even, neighbours stay together or are shuffled, values of a key are never divided") {
  std::vector<Structure> frames;
  for (int i = 0; i < 47; ++i) {
    Structure s = random_triclinic(1, 1);
    s.config_type = i < 30 ? "a" : i < 44 ? "b" : "c" + std::to_string(i);
    s.set_field("group", std::int64_t{i / 4});
    frames.push_back(s);
  }
  std::map<std::string, std::int64_t> types;
  for (const Structure& s : frames) ++types[s.config_type];
  OptimizeOptions options;
  options.folds = 5;
  for (const char* kind : {"contiguous", "random", "key:group"}) {
    CAPTURE(kind);
    options.fold = kind;
    FoldAssigner folds(options, types, 3), again(options, types, 3);
    std::vector<int> fold, count(5, 0);
    for (const Structure& s : frames) {
      fold.push_back(folds.next(s));
      CHECK(again.next(s) == fold.back());
      REQUIRE(fold.back() >= 0);
      REQUIRE(fold.back() < 5);
      ++count[static_cast<std::size_t>(fold.back())];
    }
    for (const int n : count) CHECK(n >= (std::string(kind) == "random" ? 9 : 7));
    int changes = 0;
    for (std::size_t i = 1; i < 30; ++i) changes += fold[i] != fold[i - 1];
    if (std::string(kind) == "contiguous") CHECK(changes == 4);
    if (std::string(kind) == "random") CHECK(changes > 12);
    if (std::string(kind) == "key:group")
      for (std::size_t i = 1; i < frames.size(); ++i)
        if (i % 4 != 0) CHECK(fold[i] == fold[i - 1]);
  }
  options.fold = "key:missing";
  FoldAssigner folds(options, types, 3);
  CHECK(message_of<InputError>([&] { folds.next(frames[0]); }).find("'missing'") != std::string::npos);
}
