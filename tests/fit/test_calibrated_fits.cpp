// Fits with a calibration: structures that are set aside, rounds, and calibrations of changed models.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/update.hpp>
#include <numeric>
#include <set>

#include "calibration_setup.hpp"

using namespace gapkit;
using namespace gapkit::test;

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
  const CalibrationSetup setup;
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
  CHECK(factors_of(result.model, Property::force).rows == 48);
  CHECK(factors_of(result.model, Property::force).structures == 4);
}

TEST_CASE("without a calibration nothing changes; validation data change the error bars alone") {
  const CalibrationSetup setup;
  const FitResult plain = fit(setup.options);
  CHECK_FALSE(plain.model.calibration.has_value());
  std::vector<Structure> others;
  for (unsigned seed = 31; seed <= 36; ++seed) others.push_back(labelled(random_triclinic(4, seed, {6, 14})));
  FitConfiguration options = setup.options;
  options.validation = {write_frames((setup.folder.path() / "validation.xyz").string(), others)};
  options.calibration.source = CalibrationOptions::Source::validation;
  const FitResult calibrated = fit(options);
  CHECK(largest_difference(plain.model.weights, calibrated.model.weights) == 0);
  CHECK(factors_of(calibrated.model, Property::energy).rows == 6);
  options.calibration.most_atoms = 9;  // two structures of four atoms
  CHECK(factors_of(fit(options).model, Property::energy).rows == 2);
}

TEST_CASE("predictions apply the factors of the config type; raw ones do not; files keep them") {
  const CalibrationSetup setup;
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
  const CalibrationSetup setup;
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
  CHECK(factors_of(five.model, Property::energy).rows == 20);
  CHECK(factors_of(five.model, Property::force).structures == 20);
  CHECK(factors_of(five.model, Property::force, "odd").structures == 10);
  CHECK(factors_of(one.model, Property::force, "odd").config_class == "default");  // too few
}

TEST_CASE("rounds of a calibration are numbered, repeat no messages, and keep to the allowed time") {
  const CalibrationSetup setup;
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
  CHECK(factors_of(short_of_time.model, Property::force).structures == 4);
}

TEST_CASE("a refit drops the calibration, added data keep it, a merge drops it") {
  const CalibrationSetup setup;
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
  appended.model.data_fingerprint = "other data";  // the same points and rules
  appended.stored.statistics.frames = {};
  merge(merged, appended);
  CHECK_FALSE(merged.model.calibration.has_value());
}

TEST_CASE("a holdout refuses sparse points by number, and folds go with it") {
  const CalibrationSetup setup;
  FitConfiguration options = setup.with_holdout();
  options.optimize.folds = 3;
  options.optimize.objective = OptimizeOptions::Objective::cross_validation;
  CHECK(factors_of(fit(options).model, Property::force).rows == 48);
  options.terms[0].selection = "indices";
  CHECK(message_of<InputError>([&] { fit(options); }).find("indices") != std::string::npos);
}
