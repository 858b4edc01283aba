// Cautious calibration: whole config types are left out too.

#include <Eigen/LU>
#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/cautious_form.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/fewer_points.hpp>

#include "fit/cautious_form.hpp"
#include "left_out_setup.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Source = CalibrationOptions::Source;

/// Three config types; the points of a SOAP term belong to structures of all of them.
struct CautiousSetup : CalibrationSetup {
  CautiousSetup() {
    for (unsigned seed = 21; seed <= 28; ++seed) frames.push_back(labelled(random_triclinic(5, seed, {6, 14}), "large"));
    options.train = {write_frames((folder.path() / "train.xyz").string(), frames)};
    options.terms = {small_soap(2, 2, 3, 70)};
    options.calibration = {.source = Source::leave_one_out, .fewest_structures = 5, .cautious = true};
  }
};

/// A fit to the structures of other config types, with the sparse points that do not belong to this type.
Model refit_without_type(const CautiousSetup& setup, const Model& model, const std::string& type) {
  const FileDataset data(setup.options.train);
  std::vector<std::int64_t> left_out;
  for (std::size_t i = 0; i < setup.frames.size(); ++i)
    if (setup.frames[i].config_type == type) left_out.push_back(static_cast<std::int64_t>(i));
  const DatasetView others = DatasetView::without(data, left_out);
  FitConfiguration options = setup.options;
  options.calibration = {.source = Source::none};
  FitData fit_data{others};
  for (const Term& term : model.terms) {
    SparseSet kept;
    std::vector<Eigen::Index> rows;
    for (Eigen::Index m = 0; m < term.sparse.size(); ++m)
      if (!std::binary_search(left_out.begin(), left_out.end(), term.sparse.origin[static_cast<std::size_t>(m)].frame)) rows.push_back(m);
    kept.x = term.sparse.x(rows, Eigen::all);
    kept.covariance_cutoff = term.sparse.covariance_cutoff(rows);
    for (const Eigen::Index m : rows) kept.origin.push_back(term.sparse.origin[static_cast<std::size_t>(m)]);
    options.terms[0].species_n_sparse[combination_name(term.species)] = static_cast<int>(rows.size());
    fit_data.kept_points[term.label()] = kept;
  }
  return fit(fit_data, options).model;
}

const Model& cautious_model() {
  static const CautiousSetup setup;
  static const Model model = fit(setup.options).model;
  return model;
}

}  // namespace

TEST_CASE("left-out groups: errors, data part and span equal those of refits without their structures and points") {
  CautiousSetup setup;
  setup.options.calibration = {.source = Source::none};
  const FileDataset data(setup.options.train);
  const FitResult fitted = fit({data}, setup.options);
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < 28; ++i) numbers.push_back(i);
  std::vector<KeptRows> rows = rows_of(fitted, data, false);
  LeftOutStructures left_out(fitted.model, fitted.statistics->rules, numbers, 0);
  left_out.leave_out_groups(group_rule(data.summary(), rows, 0), 2);
  left_out.add(rows);
  const std::vector<LeftOutStructure>& structures = left_out.finish();
  std::vector<Eigen::Index> columns;
  for (Eigen::Index m = 0; m < fitted.model.factor.size(); ++m) columns.push_back(m);
  const auto predicted = left_out.groups().predict(fitted.model.factor, columns, true);
  REQUIRE(structures.size() == 28);
  for (const std::int64_t number : {0, 1, 25}) {
    const LeftOutStructure& structure = structures[static_cast<std::size_t>(number)];
    const Structure& frame = setup.frames[static_cast<std::size_t>(number)];
    CHECK(left_out.groups().chosen_with(number) == (number == 25 ? 8 : 10));
    const auto model = std::make_shared<const Model>(refit_without_type(setup, fitted.model, frame.config_type));
    const Prediction p = Predictor(model).compute(frame);
    Covariance covariance(*model);
    const StructureEnvironments environments(frame, model->cutoff());
    const Observables wanted{};
    const std::vector<Variance> variances = covariance.observables(environments.view(), frame.size(), wanted);
    const std::vector<GroupRow>& own = predicted.at(number);
    CHECK(own.size() == 7 + 3 * 2);  // energy, virial, forces on two atoms
    for (const GroupRow& g : own) {
      const LeftOutRow& row = structure.rows[g.row];
      CAPTURE(number);
      CAPTURE(row.row);
      const TargetInfo& target = target_info(row.property);
      const auto k = static_cast<std::size_t>(row.row);
      const Variance& v = variances[static_cast<std::size_t>(wanted.first_row(row.property, frame.size()) + row.row)];
      check_close(g.error, p.rows(row.property)[k] - target.rows(frame)[k], 1e-3, 1e-3);
      check_close(g.data, v.data, 1e-3 * v.data + 1e-9, 0);
      check_close(g.spanned, v.prior - v.novelty, 1e-6 * v.prior, 0);
      CHECK(g.jackknife > 0);
    }
  }
}

TEST_CASE("left-out groups: J of a row is the sum over the structures of other groups of how far a fit without the group moves") {
  CautiousSetup setup;
  setup.options.calibration = {.source = Source::none};
  const FileDataset data(setup.options.train);
  const FitResult fitted = fit({data}, setup.options);
  const Eigen::Index size = fitted.model.factor.size();
  LeftOutGroups groups(fitted.model.posterior, {3, [](const KeptRows& s) { return static_cast<int>(s.number % 3); }});
  // Seven structures of three rows: all with dense matrices.
  std::vector<Matrix> x, shift;
  Matrix precision = Matrix::Identity(size, size);
  srand(4);
  for (int s = 0; s < 7; ++s) {
    x.push_back(Matrix::Random(3, size));
    shift.push_back(0.1 * Matrix::Random(1, size));
    WeightedRows rows{x.back(), Vector::Random(3), {}, {}};
    if (s == 0) rows.own_points = {2, 5};
    KeptRows kept;
    kept.number = s;
    groups.add(kept, rows, shift.back().row(0).transpose(), s == 0 ? std::vector<std::size_t>{1} : std::vector<std::size_t>{}, {2.0});
    if (s % 3 != 0) precision += x.back().transpose() * x.back();
  }
  std::vector<Eigen::Index> columns;
  for (Eigen::Index m = 0; m < size; ++m) columns.push_back(m);
  const std::vector<GroupRow> rows = groups.predict(fitted.model.factor, columns, true).at(0);
  REQUIRE(rows.size() == 1);
  // Q = A⁻¹ − A⁻¹B(BᵀA⁻¹B)⁻¹BᵀA⁻¹ by explicit inverses
  const Matrix b = directions_of_points(fitted.model.factor, {2, 5});
  const Matrix inverse = precision.inverse();
  const Matrix free = inverse - inverse * b.transpose() * (b * inverse * b.transpose()).inverse() * b * inverse;
  const Matrix& f = fitted.model.posterior.factor;
  double expected = 0;
  for (const int t : {1, 2, 4, 5})
    expected += std::pow((x[0].row(1) * free * (f * (f.transpose() * shift[static_cast<std::size_t>(t)].transpose()))).value(), 2);
  check_close(rows[0].jackknife, 4 * expected, 0, 1e-8);
  check_close(rows[0].data, 4 * (x[0].row(1) * free * x[0].row(1).transpose()).value(), 0, 1e-8);
}

TEST_CASE("a cautious form is found again from errors drawn from it, and errors of a heavier group widen it") {
  std::mt19937_64 random(3);
  Normal normal;
  std::vector<CautiousSample> samples;
  for (int i = 0; i < 4000; ++i) {
    CautiousSample s{.noise = 0.02, .part = std::exp(0.5 * normal(random)), .logs = {-4 + 1.5 * normal(random), 2 * normal(random)}};
    s.error = normal(random) * std::sqrt(0.04 * s.part * std::exp(0.7 * s.logs[0] + 0.2 * s.logs[1]) + 0.25 * 0.0004);
    samples.push_back(s);
  }
  const CautiousForm form = likeliest_form(samples, {-1, 0}, {1.5, 1.5});
  check_close(form.powers[0], 0.7, 0.05);
  check_close(form.powers[1], 0.2, 0.05);
  check_close(form.a, 0.2, 0.05);
  check_close(form.b, 0.5, 0.1);
  double sum = 0;
  for (const double square : squared_scores(samples, form)) sum += square;
  check_close(sum / 4000, 1, 0.05);
  std::vector<CautiousSample> with_group = samples;
  for (int i = 0; i < 400; ++i) {
    with_group.push_back(samples[static_cast<std::size_t>(i)]);
    with_group.back().error *= 5;
    with_group.back().weight = 0.5;
  }
  const CautiousForm wider = likeliest_form(with_group, {-1, 0}, {1.5, 1.5});
  double narrow = 0;
  for (const double square : squared_scores(samples, wider)) narrow += square / 4000;
  CHECK((narrow < 0.9 && narrow > 0.3));
}

TEST_CASE("a cautious calibration: all properties, its own factors for fewer points, format 8, equal after saving") {
  const Model& model = cautious_model();
  REQUIRE(model.calibration.has_value());
  for (const TargetInfo& target : targets()) {
    const CalibrationFactors& f = factors_of(model, target.property);
    CAPTURE(target.name);
    CHECK(f.part == EpistemicPart::cautious);
    CHECK(f.structures == 28);
    REQUIRE(f.quality.has_value());
    CHECK((f.quality->zms > 0.1 && f.quality->zms < 1.6));
    CHECK((f.powers.jackknife >= 0 && f.powers.jackknife <= 1.5));
  }
  const int few = quick_points(model);
  REQUIRE(few == model.factor.size() / 4);
  const std::optional<Calibration> quick = calibration_of_points(model, few);
  REQUIRE(quick.has_value());
  CHECK(quick->find(Property::force, "default")->powers.jackknife == 0);
  CHECK(quick->find(Property::force, "default")->quality->zms > 0.5 * factors_of(model, Property::force).quality->zms);
  CHECK(quick->covers(Property::energy));
  const TemporaryFolder folder;
  save_model(model, folder.path() / "model.h5");
  CHECK_NOTHROW(ArchiveReader(folder.path() / "model.h5", "gapkit-model", 8));
  CHECK_THROWS_AS(ArchiveReader(folder.path() / "model.h5", "gapkit-model", 7), InputError);
  const Model loaded = load_model(folder.path() / "model.h5");
  Structure s = random_triclinic(4, 80, {6, 14});
  const PredictionRequest request{.energy_std = true, .force_std = true, .stress_std = true, .force_covariance = true};
  for (const int points : {0, few}) {
    const Prediction a = Predictor(std::make_shared<const Model>(model), points).compute(s, request);
    const Prediction b = Predictor(std::make_shared<const Model>(loaded), points).compute(s, request);
    CHECK(*a.energy_std == *b.energy_std);
    CHECK(largest_difference(*a.forces_std, *b.forces_std) == 0);
    CHECK(largest_difference(*a.virial_std, *b.virial_std) == 0);
  }
}

TEST_CASE("cautious error bars follow their form, and turn with the structure") {
  Model changed = cautious_model();
  changed.calibration->familiar = {1, 1, 1};  // without unfamiliar novelty
  const auto model = std::make_shared<const Model>(changed);
  Structure s = random_triclinic(4, 81, {6, 14});
  const StructureEnvironments environments(s, model->cutoff());
  Covariance covariance(*model);
  covariance.add_force_jackknife(true);
  const std::vector<Variance> v = covariance.observables(environments.view(), 4, {});
  const PredictionRequest request{.energy_std = true, .force_std = true, .stress_std = true, .force_covariance = true};
  const Prediction p = Predictor(model).compute(s, request);
  const CalibrationFactors& energy = factors_of(*model, Property::energy);
  check_close(*p.energy_std_epistemic, 4 * energy.a * std::pow(v[0].jackknife / 16, 0.5 * energy.powers.jackknife), 0, 1e-8);
  const CalibrationFactors& force = factors_of(*model, Property::force);
  for (std::size_t i = 0; i < 4; ++i) {
    double data = 0, jackknife = 0, total = 0;
    for (std::size_t a = 0; a < 3; ++a) {
      data += v[1 + 3 * i + a].data / 3;
      jackknife += v[1 + 3 * i + a].jackknife / 3;
      total += v[1 + 3 * i + a].total() / 3;
    }
    CHECK(jackknife > 0);
    const double scale =
        std::pow(data, force.powers.data) * std::pow(jackknife, force.powers.jackknife) * std::pow(total, force.powers.total);
    for (std::size_t a = 0; a < 3; ++a)
      check_close((*p.forces_std_epistemic)(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(a)),
                  force.a * std::sqrt(scale * v[1 + 3 * i + a].data), 0, 1e-8);
  }
  Matrix3 turn;
  turn << 0, 1, 0, 0, 0, 1, 1, 0, 0;
  Structure turned = s;
  turned.positions = s.positions * turn.transpose();
  *turned.cell = *s.cell * turn.transpose();
  const Prediction after = Predictor(model).compute(turned, request);
  check_close(*after.energy_std, *p.energy_std, 0, 1e-8);
  for (Eigen::Index i = 0; i < 4; ++i) {
    const Matrix3 expected = turn * tensor_of(p.forces_covariance->row(i).transpose()) * turn.transpose();
    CHECK(largest_difference(tensor_of(after.forces_covariance->row(i).transpose()), expected) <= 1e-8 * expected.norm());
  }
  // With ghosts and neighbours of a caller's own, as in LAMMPS.
  const Prediction bars = Predictor(model).error_bars(environments.view(), 4, request);
  CHECK(largest_difference(*bars.forces_std_epistemic, *p.forces_std_epistemic) <= 1e-10);
}

TEST_CASE("with one config type a cautious calibration takes clusters, and parts of the file without energies") {
  CautiousSetup setup;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 60; ++seed) frames.push_back(labelled(random_triclinic(seed % 2 ? 3 : 4, seed, {6, 14}), "default"));
  setup.options.train = {write_frames((setup.folder.path() / "one.xyz").string(), frames)};
  for (const bool has_energy : {true, false}) {
    setup.options.use = {has_energy, true, false};
    const FileDataset data(setup.options.train);
    FitConfiguration options = setup.options;
    options.calibration = {.source = Source::none};
    const std::vector<KeptRows> rows = rows_of(fit({data}, options), data, false);
    const GroupRule rule = group_rule(data.summary(), rows, 0);
    CHECK(rule.count == (has_energy ? 4 : 8));
    std::vector<int> members(static_cast<std::size_t>(rule.count), 0);
    for (const KeptRows& s : rows) ++members.at(static_cast<std::size_t>(rule.group_of(s)));
    CHECK(std::count(members.begin(), members.end(), 0) == 0);
    CHECK(factors_of(fit({data}, setup.options).model, Property::force).part == EpistemicPart::cautious);
  }
}
