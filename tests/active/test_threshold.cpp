#include <gapkit/active/threshold.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/predict/predictor.hpp>

#include "active/round_model.hpp"
#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

namespace gapkit::test {
namespace {

/// Errors drawn from std² = a² epistemic + b² noise.
std::vector<CalibrationPoint> drawn_points(double a, double b, int count, unsigned seed) {
  std::mt19937_64 random(seed);
  Normal normal;
  std::vector<CalibrationPoint> points;
  for (int i = 0; i < count; ++i) {
    CalibrationPoint p;
    const double epistemic = std::exp(2 * normal(random)) * 1e-3, noise = 0.01;
    for (int r = 0; r < 30; ++r) {
      const double error = std::sqrt(a * a * epistemic + b * b * noise) * normal(random);
      p.error += error * error;
      p.epistemic += epistemic;
      p.noise += noise;
    }
    p.count = 30;
    p.bar = 3 * std::sqrt(epistemic);
    points.push_back(p);
  }
  return points;
}

}  // namespace

TEST_CASE("thresholds: a and b are found again from errors") {
  for (const auto& [a, b] : {std::pair{4.0, 0.5}, std::pair{0.7, 1.5}}) {
    const ErrorScale scale = error_scale(drawn_points(a, b, 100, 3));
    check_close(scale.a, a, 0, 0.3);
    check_close(scale.b, b, 0, 0.3);
  }
  const ErrorScale none = error_scale({});
  CHECK(none.a == 1);
  CHECK(none.b == 1);
}

TEST_CASE("thresholds: a and b are where the posterior of the errors is largest, not beside it") {
  const auto points = drawn_points(2.2, 0.8, 100, 5);
  const auto log_posterior = [&](double a, double b) {
    double sum = 0;
    for (const CalibrationPoint& p : points) {
      const double variance = (a * a * p.epistemic + b * b * p.noise) / p.count;
      sum -= 0.5 * (std::log(variance) + p.error / p.count / variance);
    }
    const double width = 2.3;  // methods.md, section 5: a factor of 10
    return sum - 0.5 * (std::pow(std::log(a) / width, 2) + std::pow(std::log(b) / width, 2));
  };
  const ErrorScale scale = error_scale(points);
  const double highest = log_posterior(scale.a, scale.b);
  for (const double factor : {0.98, 1.02}) {
    CHECK(log_posterior(factor * scale.a, scale.b) < highest);
    CHECK(log_posterior(scale.a, factor * scale.b) < highest);
  }
}

TEST_CASE("thresholds: a handful of errors that error bars explain leave a and b near 1") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    const ErrorScale scale = error_scale(drawn_points(1, 1, 3, seed));
    CHECK((scale.a > 0.05 && scale.a < 20));
    CHECK((scale.b > 0.05 && scale.b < 20));
  }
}

TEST_CASE("thresholds: modes and hysteresis") {
  const Model& model = *toy_models().front().model;
  double sigma = 0;
  for (const RowGroup& g : model.posterior.groups)
    if (g.property == Property::force && g.config_class == "default") sigma = g.sigma;
  REQUIRE(sigma > 0);
  ThresholdOptions options;
  options.upper = 4;
  options.mode = ThresholdOptions::Mode::none;
  CHECK(threshold_of(options, model, {}, {}).value == 0);
  options.mode = ThresholdOptions::Mode::absolute;
  options.value = 0.2;
  check_close(threshold_of(options, model, {}, {}).value, 0.2, 1e-15);
  check_close(threshold_of(options, model, {}, {}).upper, 0.8, 1e-15);
  options.mode = ThresholdOptions::Mode::relative;
  check_close(threshold_of(options, model, {}, {}).value, 0.2 * sigma, 1e-15);
  options.mode = ThresholdOptions::Mode::automatic;
  options.value = 1;
  const auto points = drawn_points(5, 1, 100, 8);
  const Threshold t = threshold_of(options, model, points, {});
  check_close(t.value, 3 * sigma * std::max(1.0, t.scale.b) / t.scale.a, 1e-12);
  Threshold before;
  before.value = t.value * 1.2;  // near enough to stay
  CHECK(threshold_of(options, model, points, before).value == before.value);
  before.value = t.value * 2;
  CHECK(threshold_of(options, model, points, before).value == t.value);
}

TEST_CASE("error bars of forces in a loop take the quarter of the points that is calibrated, unless all are wanted") {
  Model model;
  model.factor = SparseFactor({Matrix::Identity(80, 80)}, {0.0});
  ThresholdOptions options;
  CHECK(error_bar_points(options, model) == 0);  // uncalibrated
  model.calibration.emplace();
  model.calibration->factors = {{.property = Property::force, .part = EpistemicPart::data}};
  CHECK(error_bar_points(options, model) == 0);
  model.calibration->factors.push_back({.property = Property::force, .part = EpistemicPart::data, .points = 20});
  CHECK(error_bar_points(options, model) == 20);
  options.quantity = ThresholdOptions::Quantity::local_energy;
  CHECK(error_bar_points(options, model) == 0);
  options.quantity = ThresholdOptions::Quantity::force;
  options.all_points = true;
  CHECK(error_bar_points(options, model) == 0);
}

TEST_CASE("calibration points of a loop with energies only: a kernel without derivatives is not asked for forces") {
  TermOptions term = small_soap(2, 2, 2, 10);
  term.kernel = "ntk";
  term.kernel_parameters = complete_parameters({{"activation", std::string("relu")}}, kernel_kind("ntk").parameters, "test");
  FitConfiguration options = small_options("", {term});
  options.use[Property::force] = options.use[Property::virial] = false;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 6; ++seed) frames.push_back(labelled(random_triclinic(4, seed, {14}), "default"));
  const MemoryDataset data(frames);
  Predictor predictor(std::make_shared<const Model>(fit({data}, options).model));
  double error = NAN;
  const CalibrationPoint point = point_of(predictor, frames[0], ThresholdOptions::Quantity::energy, &error);
  CHECK(std::isfinite(error));
  CHECK(point.bar > 0);
  CHECK(point.count == 0);
}

}  // namespace gapkit::test
