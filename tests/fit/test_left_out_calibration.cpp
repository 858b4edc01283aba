// Calibration by leaving out the fit's own structures, against refits without them.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/prior.hpp>

#include "fit/left_out_plan.hpp"
#include "left_out_setup.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Source = CalibrationOptions::Source;

std::vector<double> factors_in(const Model& model) {
  REQUIRE(model.calibration.has_value());
  std::vector<double> result;
  for (const CalibrationFactors& f : model.calibration->factors) result.insert(result.end(), {f.a, f.b});
  for (const double q : model.calibration->familiar) result.push_back(q);
  return result;
}

void check_equal(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) check_close(a[i], b[i], 1e-12, tolerance);
}

}  // namespace

TEST_CASE("left-out structures: errors, data part and novelty equal those of refits without them") {
  const LeftOutSetup setup;
  const FileDataset data = setup.data();
  FitConfiguration options = setup.options;
  options.calibration.source = Source::none;
  const FitResult fitted = fit({data}, options);
  const std::vector<std::int64_t> numbers = all_numbers(data);
  for (const bool is_exact : {true, false}) {
    LeftOutStructures left_out(fitted.model, fitted.statistics->rules, numbers, 0);
    left_out.add(rows_of(fitted, data, is_exact));
    REQUIRE(left_out.imprecise().empty());
    const std::vector<LeftOutStructure>& structures = left_out.finish();
    REQUIRE(structures.size() == 20);
    const double tolerance = is_exact ? 1e-6 : 1e-3;
    double largest_own = 0;
    for (const std::size_t s : {0u, 3u, 11u}) {
      const FitResult refit = refit_without(setup, fitted.model, structures[s].number);
      const Structure& frame = setup.frames[s];
      const auto model = std::make_shared<const Model>(refit.model);
      const Prediction p = Predictor(model).compute(frame);
      Covariance covariance(*model);
      const StructureEnvironments environments(frame, model->cutoff());
      const Observables wanted{};
      const std::vector<Variance> variances = covariance.observables(environments.view(), frame.size(), wanted);
      REQUIRE(structures[s].rows.size() == variances.size());
      for (const LeftOutRow& row : structures[s].rows) {
        const TargetInfo& target = target_info(row.property);
        const auto k = static_cast<std::size_t>(row.row);
        const Variance& variance = variances[static_cast<std::size_t>(wanted.first_row(row.property, frame.size())) + k];
        const double error = p.rows(row.property)[k] - target.rows(frame)[k];
        check_close(row.error, error, tolerance, tolerance);
        check_close(row.data, variance.data, 1e-6 * variance.prior, tolerance);
        check_close(row.spanned, variance.prior - variance.novelty, tolerance * variance.prior, 0);
        largest_own = std::max(largest_own, std::abs(row.error - error) / tolerance);
      }
    }
  }
}

TEST_CASE("left-out structures: J sums the effects of all other structures on a prediction that does not know its own") {
  const LeftOutSetup setup;
  const FileDataset data = setup.data();
  FitConfiguration options = setup.options;
  options.calibration.source = Source::none;
  const FitResult fitted = fit({data}, options);
  const std::vector<std::int64_t> numbers = all_numbers(data);
  const std::vector<KeptRows> kept = rows_of(fitted, data, true);
  LeftOutStructures left_out(fitted.model, fitted.statistics->rules, numbers, 0);
  left_out.add(kept);
  const std::vector<LeftOutStructure>& structures = left_out.finish();
  // the same with every single effect
  const LeaveOneOut one(fitted.model.factor, fitted.model.posterior);
  std::vector<LeftOutRows> all;
  for (const KeptRows& s : kept) {
    WeightedRows rows;
    rows.rows.resize(static_cast<Eigen::Index>(s.rows.size()), fitted.model.factor.size());
    rows.target.resize(rows.rows.rows());
    for (std::size_t i = 0; i < s.rows.size(); ++i) {
      const auto k = static_cast<Eigen::Index>(i);
      const double sigma = setup.options.regularization.standard[s.rows[i].property];
      rows.rows.row(k) = s.row(i) / sigma;
      rows.target[k] = s.rows[i].target / sigma;
    }
    rows.wanted_weights = {0};
    REQUIRE(s.rows[0].property == Property::energy);
    for (Eigen::Index m = 0, t = 0; t < static_cast<Eigen::Index>(fitted.model.terms.size()); ++t)
      for (const EnvironmentOrigin& origin : fitted.model.terms[static_cast<std::size_t>(t)].sparse.origin) {
        if (origin.frame == s.number) rows.own_points.push_back(m);
        ++m;
      }
    all.push_back(one.without(rows, 0).value());
  }
  Matrix moved = Matrix::Zero(fitted.model.factor.size(), fitted.model.factor.size());
  for (std::size_t s = 0; s < kept.size(); ++s) {
    double sum = 0;
    for (std::size_t t = 0; t < kept.size(); ++t)
      if (t != s) sum += std::pow(all[s].weights.row(0).dot(all[t].shift), 2);
    CHECK(structures[s].rows[0].jackknife > 0);
    sum *= std::pow(setup.options.regularization.standard[Property::energy], 2) * setup.frames[s].size();
    check_close(structures[s].rows[0].jackknife, sum, 0, 1e-6);
    moved += all[s].shift * all[s].shift.transpose();
  }
  const Matrix factor = left_out.jackknife_factor();
  CHECK(factor.rows() <= 20);
  CHECK(largest_difference(factor.transpose() * factor, moved) <= 1e-6 * moved.cwiseAbs().maxCoeff());
}

TEST_CASE("fits are calibrated by default with structures that are left out, unless the source is none") {
  const LeftOutSetup setup;
  FitConfiguration options = setup.options;
  options.calibration = {};
  CHECK(options.calibration.source == Source::leave_one_out);
  const Model model = fit(options).model;
  REQUIRE(model.calibration.has_value());
  CHECK(model.calibration->source == "leave_one_out");
  for (const TargetInfo& target : targets()) {
    const CalibrationFactors& f = factors_of(model, target.property);
    CAPTURE(target.name);
    CHECK(f.part == (target.is_per_atom ? EpistemicPart::data : EpistemicPart::jackknife));
    CHECK(f.structures == 20);
    REQUIRE(f.quality.has_value());
    CHECK((f.quality->zms > 0.4 && f.quality->zms < 2.5));
    CHECK((f.quality->coverage68 > 0.5 && f.quality->coverage68 < 0.9));
  }
  CHECK(factors_of(model, Property::force).b >= 0.2 * 0.9);
  CHECK(model.calibration->find(Property::force, "odd", 6)->element == 6);
  CHECK(model.calibration->jackknife.cols() == model.factor.size());
  options.calibration.source = Source::none;
  const FitResult none = fit(options);
  CHECK_FALSE(none.model.calibration.has_value());
  CHECK(largest_difference(none.model.weights, model.weights) == 0);
}

TEST_CASE("a calibration by left-out structures does not depend on the number of threads, nor on the memory for rows") {
  const LeftOutSetup setup;
  std::vector<std::string> messages;
  const FitRun run{.progress = [&](const ProgressEvent& e) {
    if (!e.message.empty()) messages.push_back(e.message);
  }};
  const auto mentions_pass = [&] {
    return std::any_of(messages.begin(), messages.end(), [](const std::string& m) { return m.find("one more pass") != std::string::npos; });
  };
  const FileDataset data = setup.data();
  const FitResult result = fit({data}, setup.options, run);
  const std::vector<double> expected = factors_in(result.model);
  CHECK_FALSE(mentions_pass());
  const int threads = thread_count();
  for (const int count : {1, 3}) {
    set_thread_count(count);
    check_equal(factors_in(fit({data}, setup.options).model), expected, 1e-5);
  }
  set_thread_count(threads);
  FitConfiguration small = setup.options;
  small.memory = result.report.plan.memory_bytes * 1e-9 * 1.0001;  // room for the rows of a few structures
  check_equal(factors_in(fit({data}, small, run).model), expected, 1e-5);
  CHECK(mentions_pass());
}

TEST_CASE("rows of structures are kept up to the memory, of the sample first; samples have some structures of every type") {
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 600; ++seed) frames.push_back(labelled(random_triclinic(2, seed, {14}), seed <= 597 ? "many" : "few"));
  const MemoryDataset data(frames);
  FitOptions options;
  constexpr double bytes_of_frame = 10 * (6 * 4 + 7 * 8);  // ten points; forces in single precision, energy and virial in double
  std::vector<std::int64_t> seen;
  const auto plan = [&](double bytes) { return plan_left_out(data.summary(), options, 10, bytes, seen); };
  const LeftOutPlan all = plan(1e9), none = plan(-5), some = plan(450.5 * bytes_of_frame);
  CHECK(all.kept.size() == 600);
  CHECK(none.kept.empty());
  CHECK(some.kept.size() == 450);
  CHECK(all.needed.size() == 600);
  CHECK((all.sample.size() >= 400 && all.sample.size() < 405));
  for (const std::int64_t number : {597, 598, 599}) CHECK(std::binary_search(all.sample.begin(), all.sample.end(), number));
  CHECK(std::includes(some.kept.begin(), some.kept.end(), all.sample.begin(), all.sample.end()));
  CHECK(some.sample == all.sample);
  // Structures that a learned metric has seen do not calibrate, but the jackknife has them.
  for (std::int64_t number = 0; number < 600; number += 2) seen.push_back(number);
  const LeftOutPlan unseen = plan(1e9);
  CHECK(unseen.sample.size() == 300);
  for (const std::int64_t number : unseen.sample) CHECK(number % 2 == 1);
  CHECK(unseen.needed.size() == 600);
  seen.clear();
  options.calibration.all_structures = false;
  const LeftOutPlan sample = plan(1e9);
  CHECK((sample.needed.size() >= 100 && sample.needed.size() < 105));
  CHECK(sample.kept == sample.needed);
  options.seed = 1;
  CHECK(plan(1e9).sample != sample.sample);
}

TEST_CASE("copies of a structure are not left out by leaving one of them out: they do not calibrate") {
  const LeftOutSetup setup;
  std::vector<Structure> twice = setup.frames;
  twice.insert(twice.end(), setup.frames.begin(), setup.frames.end() - 6);  // six structures once
  FitConfiguration options = setup.options;
  options.train = {write_frames((setup.folder.path() / "twice.xyz").string(), twice)};
  CHECK(factors_of(fit(options).model, Property::force).structures == 6);
  options.calibration.fewest_structures = 7;
  bool is_said = false;
  const FitRun run{
      .progress = [&](const ProgressEvent& e) { is_said |= e.is_warning && e.message.find("uncalibrated") != std::string::npos; }};
  const FileDataset data(options.train);
  CHECK_FALSE(fit({data}, options, run).model.calibration.has_value());
  CHECK(is_said);
}

TEST_CASE("predictions take the data part for forces and J for energies and stress, with unfamiliar novelty; files keep them") {
  const LeftOutSetup setup;
  Model fitted = fit(setup.options).model;
  fitted.calibration->familiar = {1e-4, 1e-3, 1e-4};  // so that novelty counts for some rows
  const std::string path = (setup.folder.path() / "model.h5").string();
  save_model(fitted, path);
  const auto model = std::make_shared<const Model>(load_model(path));
  REQUIRE(model->calibration.has_value());
  CHECK(model->calibration->source == "leave_one_out");
  check_equal(factors_in(*model), factors_in(fitted), 0);
  CHECK(largest_difference(model->calibration->jackknife, fitted.calibration->jackknife) == 0);
  CHECK(factors_of(*model, Property::energy).quality->zms == factors_of(fitted, Property::energy).quality->zms);
  Predictor predictor(model);
  Structure s = labelled(random_triclinic(5, 77, {6, 14}), "odd");
  const StructureEnvironments environments(s, model->cutoff());
  const Observables wanted{};
  const std::vector<Variance> variances = Covariance(*model).observables(environments.view(), s.size(), wanted);
  PredictionRequest request{.energy_std = true, .force_std = true, .stress_std = true, .force_covariance = true};
  const Prediction p = predictor.compute(s, request);
  int with_novelty = 0;
  for (const TargetInfo& target : targets()) {
    const double noise = target.noise_scale(s.size(), true) * setup.options.regularization.standard[target.property];
    const double familiar = model->calibration->familiar[target.property];
    for (int row = 0; row < target.row_count(s.size()); ++row) {
      CAPTURE(target.name);
      CAPTURE(row);
      const Variance& v = variances[static_cast<std::size_t>(wanted.first_row(target.property, s.size()) + row)];
      const int element = target.is_per_atom ? s.atomic_numbers[static_cast<std::size_t>(row / 3)] : 0;
      const CalibrationFactors& f = *model->calibration->find(target.property, "odd", element);
      const double part = target.is_per_atom ? v.data : v.jackknife, novelty = std::max(0.0, v.novelty - familiar * v.prior);
      CHECK(part > 0);
      with_novelty += novelty > 0;
      const auto k = static_cast<std::size_t>(row);
      check_close(p.epistemic_of(target.property)[k], std::sqrt(f.a * f.a * part + novelty), 1e-12, 1e-9);
      check_close(p.std_of(target.property)[k], std::sqrt(f.a * f.a * part + novelty + f.b * f.b * noise * noise), 1e-12, 1e-9);
    }
  }
  CHECK(with_novelty > 0);
  // raw: the posterior's
  request.calibrated = false;
  const Prediction raw = predictor.compute(s, request);
  for (std::size_t i = 0; i < 15; ++i) {
    const Variance& v = variances[static_cast<std::size_t>(wanted.forces_row()) + i];
    check_close(raw.epistemic_of(Property::force)[i], std::sqrt(v.total()), 1e-12, 1e-9);
    check_close(raw.std_of(Property::force)[i], std::hypot(std::sqrt(v.total()), 0.1), 1e-12, 1e-9);
  }
  CHECK(p.energy == raw.energy);
}

TEST_CASE("the covariance of the force on an atom: its diagonal is the square of the bars, and it turns with the structure") {
  const LeftOutSetup setup;
  const auto model = std::make_shared<const Model>(fit(setup.options).model);
  const PredictionRequest request{.force_std = true, .force_covariance = true};
  Structure s = random_triclinic(4, 78, {6, 14});
  s.config_type = "odd";
  const Prediction before = Predictor(model).compute(s, request);
  REQUIRE(before.forces_covariance.has_value());
  CHECK(largest_difference(before.forces_covariance->leftCols(3), before.forces_std->cwiseAbs2()) < 1e-14);
  CHECK(before.forces_covariance->rightCols(3).cwiseAbs().maxCoeff() > 1e-5 * before.forces_covariance->leftCols(3).maxCoeff());
  Matrix3 turn;
  turn << 0, 1, 0, 0, 0, 1, 1, 0, 0;  // x → z → y → x
  Structure turned = s;
  turned.positions = s.positions * turn.transpose();
  *turned.cell = *s.cell * turn.transpose();
  const Prediction after = Predictor(model).compute(turned, request);
  for (Eigen::Index i = 0; i < 4; ++i) {
    const Matrix3 expected = turn * tensor_of(before.forces_covariance->row(i).transpose()) * turn.transpose();
    // in single precision
    CHECK(largest_difference(tensor_of(after.forces_covariance->row(i).transpose()), expected) <= 1e-5 * expected.norm());
  }
}

TEST_CASE("error bars of fewer points: forces have factors of their own, energies keep all points") {
  LeftOutSetup setup;
  setup.options.terms = {small_soap(2, 2, 3, 40)};
  const auto model = std::make_shared<const Model>(fit(setup.options).model);
  const Eigen::Index quarter = model->factor.size() / 4;
  REQUIRE(quarter >= 16);
  const auto is_of_fewer = [&](const CalibrationFactors& f) { return f.points == quarter && f.property == Property::force; };
  REQUIRE(std::count_if(model->calibration->factors.begin(), model->calibration->factors.end(), is_of_fewer) > 0);
  Structure s = random_triclinic(4, 79, {6, 14});
  s.config_type = "odd";
  const PredictionRequest request{.energy_std = true, .force_std = true};
  const Prediction all = Predictor(model).compute(s, request);
  const Prediction few = Predictor(model, static_cast<int>(quarter)).compute(s, request);
  check_close(*few.energy_std, *all.energy_std, 0, 1e-9);
  const double ratio = few.forces_std->norm() / all.forces_std->norm();
  CHECK(ratio > 0.5);
  CHECK(ratio < 2);
  CHECK(std::abs(ratio - 1) > 1e-8);  // not the same numbers
}
