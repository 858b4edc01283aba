// The factors of the error bars, found from held-out rows.

#include <gapkit/core/errors.hpp>

#include "calibration_setup.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Errors of known a and b; epistemic and noise parts spread independently over a decade.
HeldOutRows drawn_rows(std::size_t count, double a, double b, unsigned seed) {
  std::mt19937_64 random(seed);
  test::Normal normal;
  HeldOutRows rows;
  for (std::size_t i = 0; i < count; ++i) {
    const double epistemic = 0.02 * std::exp(normal(random)), noise = 0.02 * std::exp(0.3 * normal(random));
    rows.epistemic.push_back(epistemic);
    rows.noise.push_back(noise);
    rows.error.push_back(std::hypot(a * epistemic, b * noise) * normal(random));
    rows.structure.push_back(static_cast<int>(i / 10));
    rows.config_type.push_back(0);
  }
  return rows;
}

}  // namespace

TEST_CASE("calibration: known factors are found again") {
  for (const auto& [known_a, known_b] : {std::pair{1.0, 1.0}, {5.0, 0.3}, {0.2, 1.3}, {12.0, 2.0}}) {
    const double a = known_a, b = known_b;
    CAPTURE(a);
    CAPTURE(b);
    const CalibrationFactors found = likeliest_factors(drawn_rows(30000, a, b, 7));
    check_close(found.a, a, 0.05, 0.03);
    check_close(found.b, b, 0.05, 0.1);
    CHECK(found.rows == 30000);
    CHECK(found.structures == 3000);
  }
}

TEST_CASE("calibration: the mean square of error / std is 1 on the rows that it was found from") {
  const HeldOutRows rows = drawn_rows(400, 3.0, 0.5, 3);
  const CalibrationFactors f = likeliest_factors(rows);
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    sum += std::pow(rows.error[i], 2) / (std::pow(f.a * rows.epistemic[i], 2) + std::pow(f.b * rows.noise[i], 2));
  check_close(sum / 400, 1.0, 0.01);
}

TEST_CASE("calibration: units do not matter, and few rows give sensible factors") {
  HeldOutRows rows = drawn_rows(500, 2.0, 0.7, 4);
  const CalibrationFactors f = likeliest_factors(rows);
  for (auto* values : {&rows.error, &rows.epistemic, &rows.noise})
    for (double& x : *values) x *= 1e3;
  const CalibrationFactors g = likeliest_factors(rows);
  check_close(g.a, f.a, 0, 1e-4);
  check_close(g.b, f.b, 0, 1e-4);
  for (const double error : {0.0, 1e-9, 0.02, 2.0}) {
    CAPTURE(error);
    const CalibrationFactors one = likeliest_factors(HeldOutRows{{error}, {0.02}, {0.02}, {0}, {0}});
    CHECK(one.a > 1e-3);
    CHECK(one.b > 1e-3);
    CHECK(one.a < 1e3);
    CHECK(one.b < 1e3);
  }
}

TEST_CASE("calibration: the noise does not vanish, so that error bars are not smaller than the errors of reference values") {
  // All errors are in the epistemic part, which nearly vanishes in a quarter of the rows: the likelihood alone wants no noise.
  HeldOutRows rows = drawn_rows(4000, 2, 0, 5);
  for (std::size_t i = 0; i < rows.size(); i += 4) {
    rows.epistemic[i] *= 1e-5;
    rows.error[i] *= 1e-5;
  }
  const double error = std::sqrt(std::inner_product(rows.error.begin(), rows.error.end(), rows.error.begin(), 0.0) / 4000);
  const double noise = std::sqrt(std::inner_product(rows.noise.begin(), rows.noise.end(), rows.noise.begin(), 0.0) / 4000);
  const CalibrationFactors found = likeliest_factors(rows);
  check_close(found.a, 2, 0, 0.1);
  check_close(found.b * noise / error, 0.01, 0, 0.05);
  CHECK(std::abs(0.0005 * error / (found.b * noise)) < 0.1);  // z of an error of 1/2000 where the epistemic part is zero
}

TEST_CASE("calibration: without noise b is 1; rows without any bar are refused") {
  HeldOutRows rows = drawn_rows(3000, 4.0, 0.0, 2);
  rows.noise.assign(rows.size(), 0.0);
  const CalibrationFactors f = likeliest_factors(rows);
  check_close(f.a, 4.0, 0, 0.05);
  CHECK(f.b == 1);
  rows.epistemic[7] = 0;
  CHECK(message_of<NumericalError>([&] { likeliest_factors(rows); }).find("row 8") != std::string::npos);
  CHECK_FALSE(message_of<InputError>([] { likeliest_factors(HeldOutRows{}); }).empty());
}

TEST_CASE("calibration: held-out rows with a sigma of their own count with it; properties without rows stay uncalibrated and are named") {
  const CalibrationSetup setup;
  FitResult fitted = fit(setup.options);
  const auto model = std::make_shared<const Model>(std::move(fitted.model));
  std::string message;
  const ProgressCallback progress = [&](const ProgressEvent& event) { message += event.message; };
  Calibrator calibrator(fitted.statistics->rules);
  calibrator.use(model);
  CHECK_FALSE(calibrator.calibration("validation", progress).has_value());
  CHECK(message.find("stay uncalibrated: energy, force, virial") != std::string::npos);

  Structure s = setup.frames[0];
  s.energy.reset();
  s.virial.reset();
  s.sigma[Property::force].frame = 0.3;
  calibrator.add(s);
  s.sigma[Property::force].atom = {0.1, 0.2, 0.3, 0.4};
  calibrator.add(s);
  CHECK(calibrator.rows(Property::energy).size() == 0);
  std::vector<double> expected(12, 0.3);
  for (const double sigma : s.sigma[Property::force].atom) expected.insert(expected.end(), 3, sigma);
  CHECK(calibrator.rows(Property::force).noise == expected);
  CHECK_FALSE(calibrator.calibration("validation", progress).has_value());  // two structures are too few
  for (std::size_t i = 1; i < 4; ++i) {
    Structure other = setup.frames[i];
    other.energy.reset();
    other.virial.reset();
    other.sigma[Property::force].atom = s.sigma[Property::force].atom;
    calibrator.add(other);
  }
  message.clear();
  const std::optional<Calibration> found = calibrator.calibration("validation", progress);
  REQUIRE(found.has_value());
  CHECK(found->covers(Property::force));
  CHECK_FALSE(found->covers(Property::energy));
  CHECK(message.find("stay uncalibrated: energy, virial") != std::string::npos);

  // Earlier versions wrote calibrations without factors, and called them such.
  Model empty = *model;
  empty.calibration = Calibration{{}, "holdout"};
  const std::filesystem::path path = setup.folder.path() / "empty.h5";
  save_model(empty, path);
  CHECK_FALSE(load_model(path).calibration.has_value());
}

TEST_CASE("calibration: rows of huge sigma, copies, isolated atoms and the model's own predictions do not calibrate") {
  const CalibrationSetup setup;
  const FitResult fitted = fit(setup.options);
  const auto model = std::make_shared<const Model>(fitted.model);
  const RowRules rules = fitted.statistics.value().rules;
  std::vector<Structure> others;
  for (unsigned seed = 101; seed <= 112; ++seed) others.push_back(labelled(random_triclinic(4, seed, {6, 14}), "odd"));
  const auto calibrated = [&](const std::vector<Structure>& frames) {
    Calibrator calibrator(rules, 5);
    calibrator.use(model);
    for (const Structure& frame : frames) calibrator.add(frame);
    return calibrator.calibration("validation");
  };
  const std::optional<Calibration> clean = calibrated(others);
  REQUIRE(clean);
  const CalibrationFactors* energy = clean->find(Property::energy, "default");
  REQUIRE(energy != nullptr);

  std::vector<Structure> with_huge = others;
  for (unsigned seed = 201; seed <= 212; ++seed) {
    with_huge.push_back(labelled(random_triclinic(4, seed, {6, 14}), "odd"));
    with_huge.back().sigma[Property::energy].frame = 1e6;
  }
  const std::optional<Calibration> mixed = calibrated(with_huge);
  REQUIRE(mixed);
  const CalibrationFactors* same = mixed->find(Property::energy, "default");
  REQUIRE(same != nullptr);
  CHECK(same->rows == energy->rows);
  check_close(same->a, energy->a, 0, 1e-6);
  check_close(same->b, energy->b, 0, 1e-6);

  for (Structure& frame : others) frame.sigma[Property::energy].frame = 1e8;
  const std::optional<Calibration> huge = calibrated(others);
  CHECK((!huge || !huge->covers(Property::energy)));
  CHECK(!calibrated(std::vector<Structure>(12, labelled(random_triclinic(4, 301, {6, 14}), "odd"))));
  Structure atom;
  atom.atomic_numbers = {14};
  atom.positions = Positions::Zero(1, 3);
  std::vector<Structure> atoms(8, atom);
  for (std::size_t i = 0; i < atoms.size(); ++i) atoms[i].energy = 0.1 * static_cast<double>(i);
  CHECK(!calibrated(atoms));

  Predictor predictor(model);
  for (Structure& frame : others) {
    const Prediction p = predictor.compute(frame);
    frame.sigma[Property::energy].frame.reset();
    frame.energy = p.energy;
    frame.forces = *p.forces;
    frame.virial = *p.virial;
  }
  CHECK(!calibrated(others));
}
