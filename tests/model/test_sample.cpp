// Members of the posterior's ensemble.

#include <gapkit/core/errors.hpp>
#include <gapkit/model/sample.hpp>

#include "support/dense_setups.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("the spread of an ensemble's energies, forces and virials is the data part of their variance") {
  const std::vector<Setup> setups = general_setups();
  const Setup& setup = setups[3];
  const Model model = model_of(setup, {1.3, 0.8, 1.0, 1.1, 0.9});
  const Structure& s = setup.other[0];
  const StructureEnvironments environments(s, model.cutoff());
  KernelRows kernel(model.terms);
  const Observables all;
  Matrix rows(all.rows(s.size()), kernel.columns());
  kernel.compute(environments.view(), s.size(), all, rows);
  Covariance covariance(model);
  const std::vector<Variance> variances = covariance.observables(environments.view(), s.size(), all);

  constexpr int members = 4000;
  Vector sum = Vector::Zero(rows.rows()), squares = sum;
  for (int i = 0; i < members; ++i) {
    const Vector deviation = rows * (sample_model(model, 7, i).weights - model.weights);
    sum += deviation;
    squares += deviation.cwiseAbs2();
  }
  double largest = 0;
  for (Eigen::Index k = 0; k < rows.rows(); ++k) {
    const double data = variances[static_cast<std::size_t>(k)].data;
    largest = std::max(largest, data);
    // Five standard deviations of mean and variance of this number of normal numbers
    CHECK(std::abs(sum[k] / members) <= 5 * std::sqrt(data / members));
    check_close(squares[k] / members, data, 0, 5 * std::sqrt(2.0 / members));
  }
  REQUIRE(largest > 1e-6);
}

TEST_CASE("members of an ensemble: the same for the same seed, different for others, and without a posterior of their own") {
  const std::vector<Setup> setups = general_setups();
  const Model model = model_of(setups[0]);
  const Model one = sample_model(model, 3, 5);
  CHECK(largest_difference(one.weights, sample_model(model, 3, 5).weights) == 0);
  CHECK(largest_difference(one.weights, sample_model(model, 3, 6).weights) > 0);
  CHECK(largest_difference(one.weights, sample_model(model, 4, 5).weights) > 0);
  CHECK(model.has_posterior());
  CHECK_FALSE(one.has_posterior());
  CHECK_THROWS_AS(sample_model(one, 3, 0), InputError);
  CHECK_THROWS_AS(sample_model(model, 3, -1), InputError);
}
