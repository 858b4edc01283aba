// Calibration of error bars: the factors, the structures that are set aside, and what becomes of them.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>
#include <numeric>
#include <set>

#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

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

/// Twenty structures of two elements, of two config types; forces with an error that the model cannot follow.
struct Setup {
  TemporaryFolder folder;
  std::vector<Structure> frames;
  FitConfiguration options;

  Setup() {
    std::mt19937_64 random(5);
    test::Normal normal;
    for (unsigned seed = 1; seed <= 20; ++seed) {
      frames.push_back(labelled(random_triclinic(4, seed, {6, 14}), seed % 2 ? "odd" : "even"));
      for (double& f : frames.back().forces->reshaped()) f += 0.2 * normal(random);
      frames.back().set_column("forces", 3, {frames.back().forces->data(), frames.back().forces->data() + 12});
    }
    options =
        small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_two_body(0.6, 8), small_soap(2, 2, 3, 12)});
    options.keep_statistics = true;
    options.calibration.fewest_structures = 1;
  }
  FitConfiguration with_holdout(double fraction = 0.2) const {
    FitConfiguration o = options;
    o.calibration.source = CalibrationOptions::Source::holdout;
    o.calibration.holdout = fraction;
    return o;
  }
};

const CalibrationFactors& factors(const Model& model, Property property, const std::string& config_type = "default") {
  REQUIRE(model.calibration.has_value());
  const CalibrationFactors* found = model.calibration->find(property, config_type);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("calibration: known factors are found again") {
  for (const auto& [known_a, known_b] : {std::pair{1.0, 1.0}, {5.0, 0.3}, {0.2, 1.3}, {12.0, 2.0}}) {
    const double a = known_a, b = known_b;
    CAPTURE(a);
    CAPTURE(b);
    const CalibrationFactors found = calibrate(drawn_rows(30000, a, b, 7));
    check_close(found.a, a, 0.05, 0.03);
    check_close(found.b, b, 0.05, 0.1);
    CHECK(found.rows == 30000);
    CHECK(found.structures == 3000);
  }
}

TEST_CASE("calibration: the mean square of error / std is 1 on the rows that it was found from") {
  const HeldOutRows rows = drawn_rows(400, 3.0, 0.5, 3);
  const CalibrationFactors f = calibrate(rows);
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    sum += std::pow(rows.error[i], 2) / (std::pow(f.a * rows.epistemic[i], 2) + std::pow(f.b * rows.noise[i], 2));
  check_close(sum / 400, 1.0, 0.01);
}

TEST_CASE("calibration: units do not matter, and few rows give sensible factors") {
  HeldOutRows rows = drawn_rows(500, 2.0, 0.7, 4);
  const CalibrationFactors f = calibrate(rows);
  for (auto* values : {&rows.error, &rows.epistemic, &rows.noise})
    for (double& x : *values) x *= 1e3;
  const CalibrationFactors g = calibrate(rows);
  check_close(g.a, f.a, 0, 1e-4);
  check_close(g.b, f.b, 0, 1e-4);
  for (const double error : {0.0, 1e-9, 0.02, 2.0}) {
    CAPTURE(error);
    const CalibrationFactors one = calibrate(HeldOutRows{{error}, {0.02}, {0.02}, {0}, {0}});
    CHECK(one.a > 1e-3);
    CHECK(one.b > 1e-3);
    CHECK(one.a < 1e3);
    CHECK(one.b < 1e3);
  }
}

TEST_CASE("calibration: the noise does not vanish, so that no error bar is smaller than what reference values are worth") {
  // All errors are in the epistemic part, which nearly vanishes in a quarter of the rows: the likelihood alone wants no noise.
  HeldOutRows rows = drawn_rows(4000, 2, 0, 5);
  for (std::size_t i = 0; i < rows.size(); i += 4) {
    rows.epistemic[i] *= 1e-5;
    rows.error[i] *= 1e-5;
  }
  const double error = std::sqrt(std::inner_product(rows.error.begin(), rows.error.end(), rows.error.begin(), 0.0) / 4000);
  const double noise = std::sqrt(std::inner_product(rows.noise.begin(), rows.noise.end(), rows.noise.begin(), 0.0) / 4000);
  const CalibrationFactors found = calibrate(rows);
  check_close(found.a, 2, 0, 0.1);
  check_close(found.b * noise / error, 0.01, 0, 0.05);
  CHECK(std::abs(0.0005 * error / (found.b * noise)) < 0.1);  // z of an error of 1/2000 where the epistemic part is zero
}

TEST_CASE("calibration: without noise b is 1; rows without any bar are refused") {
  HeldOutRows rows = drawn_rows(3000, 4.0, 0.0, 2);
  rows.noise.assign(rows.size(), 0.0);
  const CalibrationFactors f = calibrate(rows);
  check_close(f.a, 4.0, 0, 0.05);
  CHECK(f.b == 1);
  rows.epistemic[7] = 0;
  CHECK(message_of<NumericalError>([&] { calibrate(rows); }).find("row 8") != std::string::npos);
  CHECK_FALSE(message_of<InputError>([] { calibrate(HeldOutRows{}); }).empty());
}

TEST_CASE("structures set aside: a share of every config type, by seed, no single atoms, no element lost") {
  const TemporaryFolder folder;
  std::vector<Structure> frames = {lone_atom(6), lone_atom(14)};
  for (unsigned seed = 1; seed <= 40; ++seed) frames.push_back(labelled(random_triclinic(3, seed, {14}), seed <= 30 ? "many" : "few"));
  frames.push_back(labelled(random_triclinic(3, 99, {14}), "one"));
  frames.push_back(labelled(random_triclinic(3, 98, {6, 14}), "carbon"));
  frames.push_back(labelled(random_triclinic(3, 97, {8, 14}), "carbon"));  // the only oxygen
  const FileDataset data({write_frames((folder.path() / "a.xyz").string(), frames)});
  std::set<std::vector<std::int64_t>> seen;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const auto chosen = choose_held_out(data, 0.2, 1, seed).front();
    CHECK(choose_held_out(data, 0.2, 1, seed).front() == chosen);
    seen.insert(chosen);
    CHECK(std::is_sorted(chosen.begin(), chosen.end()));
    CHECK((chosen.size() >= 8 && chosen.size() <= 9));
    std::map<std::string, int> of_type;
    for (const std::int64_t i : chosen) {
      const Structure& s = frames.at(static_cast<std::size_t>(i));
      ++of_type[s.config_type];
      CHECK(s.size() > 1);
      CHECK(std::count(s.atomic_numbers.begin(), s.atomic_numbers.end(), 8) == 0);
    }
    CHECK(of_type["many"] == 6);
    CHECK(of_type["few"] == 2);
    CHECK(of_type["one"] == 0);
  }
  CHECK(seen.size() == 6);
}

TEST_CASE("a fit with a holdout: sparse points from the others, all data in the end, factors from the fit before") {
  const Setup setup;
  const FitResult result = fit(setup.with_holdout());
  const auto held_out = choose_held_out(FileDataset(setup.options.train), 0.2, 1, 0).front();
  REQUIRE(held_out.size() == 4);
  for (const Term& term : result.model.terms)
    for (const EnvironmentOrigin& origin : term.sparse.origin)
      CHECK_FALSE(std::binary_search(held_out.begin(), held_out.end(), origin.frame));
  CHECK(result.report.plan.frames == 16);
  CHECK(result.statistics->statistics.row_count() == fit(setup.options).statistics->statistics.row_count());

  // by hand
  const FileDataset data(setup.options.train);
  FitResult part = fit({DatasetView::without(data, held_out)}, setup.options);
  FittedModel fitted{std::move(part.model), std::move(*part.statistics)};
  CHECK_FALSE(fitted.model.calibration.has_value());
  const DatasetView others(data, held_out);
  const Calibration expected = calibrate_on(others, fitted.model, fitted.stored.rules, setup.options.calibration, 0).value();
  append(fitted, others);
  CHECK(largest_difference(result.model.weights, fitted.model.weights) <= 1e-9 * fitted.model.weights.cwiseAbs().maxCoeff());
  REQUIRE(result.model.calibration.has_value());
  CHECK(result.model.calibration->source == "holdout");
  REQUIRE(result.model.calibration->factors.size() == expected.factors.size());
  for (std::size_t i = 0; i < expected.factors.size(); ++i) {
    const CalibrationFactors &f = result.model.calibration->factors[i], &g = expected.factors[i];
    CHECK(f.property == g.property);
    CHECK(f.config_class == g.config_class);
    check_close(f.a, g.a, 0, 1e-6);
    check_close(f.b, g.b, 0, 1e-6);
  }
  CHECK(factors(result.model, Property::force).rows == 48);
  CHECK(factors(result.model, Property::force).structures == 4);
}

TEST_CASE("calibration: held-out rows with a sigma of their own count with that; what has no rows stays uncalibrated and is named") {
  const Setup setup;
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
  const Setup setup;
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

TEST_CASE("without a calibration nothing changes; validation data change the error bars alone") {
  const Setup setup;
  const FitResult plain = fit(setup.options);
  CHECK_FALSE(plain.model.calibration.has_value());
  std::vector<Structure> others;
  for (unsigned seed = 31; seed <= 36; ++seed) others.push_back(labelled(random_triclinic(4, seed, {6, 14})));
  FitConfiguration options = setup.options;
  options.validation = {write_frames((setup.folder.path() / "validation.xyz").string(), others)};
  options.calibration.source = CalibrationOptions::Source::validation;
  const FitResult calibrated = fit(options);
  CHECK(largest_difference(plain.model.weights, calibrated.model.weights) == 0);
  CHECK(factors(calibrated.model, Property::energy).rows == 6);
  options.calibration.most_atoms = 9;  // two structures of four atoms
  CHECK(factors(fit(options).model, Property::energy).rows == 2);
}

TEST_CASE("predictions apply the factors of the config type; raw ones do not; files keep them") {
  const Setup setup;
  FitResult result = fit(setup.options);
  result.model.calibration = Calibration{{{Property::energy, "default", 2.0, 3.0, 10, 10},
                                          {Property::force, "default", 1.5, 0.25, 90, 10},
                                          {Property::force, "odd", 0.5, 4.0, 30, 3}},
                                         "holdout"};
  const std::string path = (setup.folder.path() / "model.h5").string();
  save_model(result.model, path);
  const auto model = std::make_shared<const Model>(load_model(path));
  REQUIRE(model->calibration.has_value());
  CHECK(model->calibration->source == "holdout");
  CHECK(model->calibration->factors.size() == 3);
  CHECK(model->calibration->factors[2].rows == 30);
  Predictor predictor(model);
  PredictionRequest request{.energy_std = true, .force_std = true, .stress_std = true};
  for (const char* type : {"odd", "even", "other"}) {
    CAPTURE(type);
    Structure s = setup.frames[0];
    s.config_type = type;
    request.calibrated = true;
    const Prediction p = predictor.compute(s, request);
    request.calibrated = false;
    const Prediction raw = predictor.compute(s, request);
    check_close(*p.energy_std, std::hypot(2 * *p.energy_std_epistemic, 3 * 0.01 * 2), 1e-12);
    check_close(*raw.energy_std, std::hypot(*p.energy_std_epistemic, 0.01 * 2), 1e-12);
    const double a = type == std::string("odd") ? 0.5 : 1.5, b = type == std::string("odd") ? 4.0 : 0.25;
    for (Eigen::Index i = 0; i < 12; ++i) {
      const double epistemic = p.forces_std_epistemic->data()[i];
      check_close(p.forces_std->data()[i], std::hypot(a * epistemic, b * 0.1), 1e-12);
      check_close(raw.forces_std->data()[i], std::hypot(epistemic, 0.1), 1e-12);
    }
    CHECK(largest_difference(*p.virial_std, *raw.virial_std) == 0);  // no factors: as it was
    CHECK(p.energy == raw.energy);
  }
  const EnergyDifference d = predictor.difference(setup.frames[0], setup.frames[1]);
  const EnergyDifference raw = predictor.difference(setup.frames[0], setup.frames[1], false);
  check_close(d.std, std::hypot(2 * d.std_epistemic, 3 * 0.02, 3 * 0.02), 1e-12);
  check_close(raw.std, std::hypot(d.std_epistemic, 0.02, 0.02), 1e-12);
}

TEST_CASE("rounds of the holdout: every structure once, the same model, factors from all of them") {
  const Setup setup;
  const auto rounds = choose_held_out(FileDataset(setup.options.train), 0.2, 5, 0);
  REQUIRE(rounds.size() == 5);
  std::set<std::int64_t> seen;
  for (const auto& round : rounds) {
    CHECK(round.size() == 4);
    seen.insert(round.begin(), round.end());
  }
  CHECK(seen.size() == 20);
  CHECK(rounds.front() == choose_held_out(FileDataset(setup.options.train), 0.2, 1, 0).front());
  FitConfiguration options = setup.with_holdout();
  const FitResult one = fit(options);
  options.calibration.rounds = 5;
  const FitResult five = fit(options);
  CHECK(largest_difference(one.model.weights, five.model.weights) == 0);
  CHECK(factors(five.model, Property::energy).rows == 20);
  CHECK(factors(five.model, Property::force).structures == 20);
  CHECK(factors(five.model, Property::force, "odd").structures == 10);
  CHECK(factors(one.model, Property::force, "odd").config_class == "default");  // too few
}

TEST_CASE("rounds of a calibration say which they are, repeat no remarks, and follow the time allowed") {
  const Setup setup;
  FitConfiguration options = setup.with_holdout();
  options.calibration.rounds = 3;
  std::set<std::string> phases;
  std::vector<std::string> remarks;
  const ProgressCallback note = [&](const ProgressEvent& event) {
    if (event.message.empty()) phases.insert(event.phase);
    if (!event.message.empty() && !event.is_warning) remarks.push_back(event.message);
  };
  fit(options, note);
  for (const char* phase : {"fit", "calibration round 1 of 3: error bars", "calibration round 2 of 3: fit", "calibration round 3 of 3: fit",
                            "calibration round 3 of 3: error bars"}) {
    CAPTURE(phase);
    CHECK(phases.count(phase) == 1);
  }
  const auto starting = [&](const std::string& text) {
    return std::count_if(remarks.begin(), remarks.end(), [&](const std::string& r) { return r.starts_with(text); });
  };
  for (const char* text : {"data: ", "energy: ", "forces: ", "fitted: ", "estimated: "}) {
    CAPTURE(text);
    CHECK(starting(text) == 1);
  }
  CHECK(starting("calibration: ") == 0);

  phases.clear();
  remarks.clear();
  options.calibration.seconds = 0;
  const FitResult short_of_time = fit(options, note);
  CHECK(starting("calibration: 1 of 3 rounds") == 1);
  CHECK(phases.count("calibration round 2 of 3: fit") == 0);
  REQUIRE(short_of_time.model.calibration.has_value());
  CHECK(factors(short_of_time.model, Property::force).structures == 4);
}

TEST_CASE("a refit drops the calibration, added data keep it, a merge drops it") {
  const Setup setup;
  FitResult result = fit(setup.with_holdout());
  const FittedModel fitted{std::move(result.model), std::move(*result.statistics)};
  FittedModel refitted = fitted;
  RefitOptions options;
  options.sigma = {{Property::force, "", 0.3}};
  refit(refitted, options);
  CHECK_FALSE(refitted.model.calibration.has_value());
  FittedModel same = fitted;
  refit(same, {});
  CHECK(same.model.calibration.has_value());
  const std::string file = write_frames((setup.folder.path() / "more.xyz").string(), {labelled(random_triclinic(4, 77, {6, 14}))});
  FittedModel appended = fitted;
  append(appended, FileDataset({file}));
  CHECK(appended.model.calibration.has_value());
  FittedModel merged = fitted;
  merge(merged, appended);
  CHECK_FALSE(merged.model.calibration.has_value());
}

TEST_CASE("a holdout refuses sparse points by number, and folds go with it") {
  const Setup setup;
  FitConfiguration options = setup.with_holdout();
  options.optimize.folds = 3;
  options.optimize.objective = OptimizeOptions::Objective::cross_validation;
  CHECK(factors(fit(options).model, Property::force).rows == 48);
  options.terms[0].selection = "indices";
  CHECK(message_of<InputError>([&] { fit(options); }).find("indices") != std::string::npos);
}
