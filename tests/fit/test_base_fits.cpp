// Fits on top of another model whose values the frames bring: the difference is learned, predictions are of the sum.

#include <gapkit/convert/gap_xml.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/sample.hpp>
#include <gapkit/predict/predictor.hpp>
#include <gapkit/report/error_table.hpp>
#include <set>

#include "fit/base_checks.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const BaseKeys base{.columns = {{"energy", "b_energy"}, {"forces", "b_forces"}, {"virial", "b_virial"}}, .name = "LJ"};

/// Without a virial where there is no cell.
void write_targets(Structure& s, const std::string& prefix, double energy, const Positions& forces, const Matrix3& virial) {
  s.set_field(prefix + "energy", energy);
  s.set_column(prefix + "forces", 3, std::vector<double>(forces.data(), forces.data() + forces.size()));
  if (s.cell) s.set_field(prefix + "virial", std::vector<double>(virial.data(), virial.data() + 9));
}

/// The frame with the values of the base in columns, and with them added to its labels. An offset of each atom tells whether reference
/// energies are those of the difference.
Structure raised(Structure s) {
  Evaluation e = evaluate(*make_potential("lennard_jones", {{"sigma", 1.6}, {"epsilon", 0.1}, {"cutoff", 3.5}}), s);
  e.energy += -300.0 * s.size();
  if (s.energy) write_targets(s, "", *s.energy + e.energy, *s.forces + e.forces, s.virial.value_or(Matrix3::Zero()) + e.virial);
  write_targets(s, "b_", e.energy, e.forces, e.virial);
  return s;
}

std::vector<Structure> frames_from(unsigned first, unsigned count) {
  std::vector<Structure> frames;
  for (unsigned seed = first; seed < first + count; ++seed) frames.push_back(labelled(random_triclinic(5, seed)));
  return frames;
}

std::vector<Structure> raised_all(std::vector<Structure> frames) {
  for (Structure& s : frames) s = raised(s);
  return frames;
}

struct BaseFitSetup {
  TemporaryFolder folder;
  FitConfiguration plain, on_base;

  explicit BaseFitSetup(const std::vector<Structure>& frames) {
    plain = small_options(write("plain.xyz", frames), {small_two_body(0.6, 12), small_soap(2, 2, 2, 15)});
    on_base = small_options(write("raised.xyz", raised_all(frames)), plain.terms);
    on_base.keys.base = base;
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  std::string write(const std::string& name, const std::vector<Structure>& frames) const { return write_frames(path(name), frames); }
};

Structure assigned(Structure s) {
  assign_base(s, base);
  return s;
}

void check_same_weights(const Model& a, const Model& b) {
  CHECK(largest_difference(a.weights, b.weights) <= 1e-6 * b.weights.cwiseAbs().maxCoeff());
  REQUIRE(a.reference_energies.size() == b.reference_energies.size());
  for (const auto& [z, e0] : b.reference_energies) check_close(a.reference_energies.at(z), e0, 1e-7);
}

}  // namespace

TEST_CASE("what the base gives is not learned: weights and reference energies are those of the difference") {
  std::vector<Structure> frames = frames_from(1, 6);
  std::set<int> elements;
  for (const Structure& s : frames) elements.insert(s.atomic_numbers.begin(), s.atomic_numbers.end());
  for (const int z : elements) frames.push_back(lone_atom(z));
  BaseFitSetup setup(frames);
  using Mode = ReferenceEnergyOptions::Mode;
  for (const Mode mode : {Mode::explicit_values, Mode::least_squares, Mode::isolated}) {
    setup.plain.reference_energies.mode = setup.on_base.reference_energies.mode = mode;
    check_same_weights(fit(setup.on_base).model, fit(setup.plain).model);
  }
}

TEST_CASE("a model on a base predicts the sum, also from its file and one after the other; error bars are those of the difference") {
  BaseFitSetup setup(frames_from(1, 6));
  const Model without = fit(setup.plain).model, with = fit(setup.on_base).model;
  save_model(with, setup.path("model.h5"));
  const auto loaded = std::make_shared<const Model>(load_model(setup.path("model.h5")));
  CHECK(loaded->base == base);
  Predictor a(std::make_shared<const Model>(without)), b(loaded);
  std::vector<Structure> given;
  for (unsigned seed = 90; seed < 93; ++seed) given.push_back(assigned(raised(random_triclinic(6, seed))));
  const PredictionRequest request{.energy_std = true, .force_std = true};
  const std::vector<Prediction> together = b.compute(given, request);
  for (std::size_t i = 0; i < given.size(); ++i) {
    const Structure& s = given[i];
    const Prediction expected = a.compute(s, request), alone = b.compute(s, request);
    PredictionRequest difference = request;
    difference.difference = true;
    check_close(b.compute(s, difference).energy, expected.energy, 1e-7);
    for (const Prediction* p : {&alone, &together[i]}) {
      for (const TargetInfo& target : targets()) {
        const std::vector<double> sum = p->rows(target.property), learned = expected.rows(target.property);
        REQUIRE(sum.size() == learned.size());
        for (std::size_t k = 0; k < sum.size(); ++k) check_close(sum[k], learned[k] + s.base[target.property].at(k), 1e-6);
      }
      check_close(*p->energy_std, *expected.energy_std, 1e-7);
      CHECK(largest_difference(*p->forces_std, *expected.forces_std) <= 1e-6);
      check_close(p->local_energy.sum(), expected.energy, 1e-7);
    }
  }
  check_close(b.difference(given[0], given[1]).energy, b.compute(given[1]).energy - b.compute(given[0]).energy, 1e-9);
  Predictor member(std::make_shared<const Model>(sample_model(with, 1, 0)));
  CHECK(member.compute(given[0]).energy < -1000);
}

TEST_CASE("a model on a base predicts nothing without its values, unless the difference is asked for") {
  BaseFitSetup setup(frames_from(1, 6));
  const auto model = std::make_shared<const Model>(fit(setup.on_base).model);
  Predictor predictor(model);
  Structure bare = random_triclinic(6, 90);
  bare.source = "bare.xyz:1 (frame 1)";
  const auto message = [&](const Structure& s) { return message_of<InputError>([&] { predictor.compute(s); }); };
  CHECK(message(bare).find("bare.xyz:1 (frame 1): the frame has no key 'b_energy' with the energies of the base LJ") != std::string::npos);
  Structure no_forces = assigned(raised(bare));
  no_forces.base[Property::force].clear();
  CHECK(message(no_forces).find("no column 'b_forces'") != std::string::npos);
  CHECK(std::isfinite(predictor.compute(no_forces, {.forces = false}).energy));
  CHECK(std::isfinite(predictor.compute(bare, {.difference = true}).energy));
  const StructureEnvironments environments(bare, model->cutoff());
  CHECK_THROWS_AS(predictor.compute(environments.view(), bare.size()), InputError);
  check_close(predictor.compute(environments.view(), bare.size(), {.difference = true}).energy,
              predictor.compute(bare, {.difference = true}).energy, 1e-9);
  CHECK(predictor.error_bars(environments.view(), bare.size(), {.energy_std = true}).energy_std_epistemic > 0);
  // Targets that the base does not give are left out.
  Model energies = *model;
  energies.base.columns = {{"energy", "b_energy"}};
  const Prediction p = Predictor(std::make_shared<const Model>(energies)).compute(assigned(raised(bare)));
  CHECK((!p.forces && !p.virial));
  CHECK(message_of<InputError>([&] { write_gap_xml(*model, setup.folder.path() / "model.xml"); }).find("it sits on another model, LJ") !=
        std::string::npos);
}

TEST_CASE("appending, calibration and errors see the difference") {
  const std::vector<Structure> all = frames_from(1, 12);
  const std::vector<Structure> first(all.begin(), all.begin() + 8), second(all.begin() + 8, all.end());
  BaseFitSetup setup(first);
  for (FitConfiguration* options : {&setup.plain, &setup.on_base}) {
    options->keep_statistics = true;
    options->calibration = {.source = CalibrationOptions::Source::holdout, .holdout = 0.5, .rounds = 2, .fewest_structures = 2};
  }
  const FitResult plain = fit(setup.plain), on_base = fit(setup.on_base);
  const auto factors = [](const Model& model) { return *model.calibration.value().find(Property::force, "default"); };
  check_close(factors(on_base.model).a, factors(plain.model).a, 0, 1e-4);

  FittedModel a{plain.model, *plain.statistics};
  save_model(on_base.model, *on_base.statistics, setup.path("model.h5"));
  FittedModel b{load_model(setup.path("model.h5")), {}};
  b.stored = load_statistics(setup.path("model.h5"), b.model);
  append(a, FileDataset({setup.write("second.xyz", second)}));
  append(b, FileDataset({setup.write("second_raised.xyz", raised_all(second))}, b.stored.rules.keys));
  RefitOptions refitted;
  refitted.sigma = {{Property::force, "", 0.07}};
  refit(a, refitted);
  refit(b, refitted);
  check_same_weights(b.model, a.model);
  CHECK_THROWS_AS(append(b, FileDataset({setup.path("second.xyz")}, b.stored.rules.keys)), InputError);

  ErrorTable plain_errors, errors;
  Predictor of_plain(std::make_shared<const Model>(a.model)), of_base(std::make_shared<const Model>(b.model));
  FileDataset({setup.path("second.xyz")}).visit([&](const Structure& s, const FramePlace&) { plain_errors.add(s, of_plain.compute(s)); });
  FileDataset({setup.path("second_raised.xyz")}, {.base = base}).visit([&](const Structure& s, const FramePlace&) {
    errors.add(s, of_base.compute(s));
  });
  CHECK(plain_errors.total().base_errors[Property::force].count == 0);
  const ErrorTable::Row row = errors.total();
  for (const TargetInfo& target : targets()) {
    check_close(row[target.property].rmse(), plain_errors.total()[target.property].rmse(), 1e-3);
    CHECK(row.base_errors[target.property].count == row[target.property].count);
  }
  // The error of the base alone is what was to be learned.
  ErrorSummary expected;
  for (const Structure& s : second)
    for (Eigen::Index i = 0; i < s.forces->size(); ++i) expected.add(s.forces->data()[i]);
  check_close(row.base_errors[Property::force].rmse(), expected.rmse(), 1e-6);
  CHECK(errors.text().find("base alone: energy ") != std::string::npos);
  CHECK(errors.json().find("\"base_alone\"") != std::string::npos);
  CHECK(plain_errors.json().find("base_alone") == std::string::npos);
}

TEST_CASE("data whose base is the labels or has the opposite sign are not appended") {
  BaseFitSetup setup(frames_from(1, 8));
  setup.on_base.keep_statistics = true;
  const FitResult result = fit(setup.on_base);
  const std::vector<Structure> good = raised_all(frames_from(20, 4));
  // With the labels times a factor as base.
  const auto with_factor = [&](double factor) {
    std::vector<Structure> frames = good;
    for (Structure& frame : frames) {
      Structure s = frame;
      assign_targets(s, {});
      write_targets(frame, "b_", factor * *s.energy, factor * *s.forces, factor * s.virial.value_or(Matrix3::Zero()));
    }
    return frames;
  };
  const auto message = [&](const char* file, const std::vector<Structure>& frames) {
    FittedModel model{result.model, *result.statistics};
    return message_of<InputError>([&] { append(model, FileDataset({setup.write(file, frames)}, model.stored.rules.keys)); });
  };
  FittedModel model{result.model, *result.statistics};
  append(model, FileDataset({setup.write("good.xyz", good)}, model.stored.rules.keys));
  CHECK(message("copies.xyz", with_factor(1)).find("the new data: the base LJ") != std::string::npos);
  CHECK(message("opposite.xyz", with_factor(-1)).find("opposite sign") != std::string::npos);
}

TEST_CASE("a fit names the frame that lacks a value of the base") {
  std::vector<Structure> frames = raised_all(frames_from(1, 6));
  BaseFitSetup setup(frames_from(1, 6));
  std::erase_if(frames[3].fields, [](const Field& f) { return f.key == "b_energy"; });
  frames[3].set_field("b_enery", 1.0);
  setup.on_base.train = {setup.write("partly.xyz", frames)};
  const std::string message = message_of<InputError>([&] { fit(setup.on_base); });
  CAPTURE(message);
  for (const char* part : {"partly.xyz", "(frame 4)", "no key 'b_energy'", "did you mean 'b_enery'?"})
    CHECK(message.find(part) != std::string::npos);
  setup.on_base.use = {false, true, true};  // predictions need it all the same
  CHECK(message_of<InputError>([&] { fit(setup.on_base); }) == message);
}

namespace {

/// Findings on frames whose base is made from the labels' by `change`.
std::vector<CheckFinding> findings_of(const std::function<void(Structure&)>& change, const std::map<int, double>& e0 = {}) {
  BaseChecks checks;
  for (Structure s : raised_all(frames_from(1, 12))) {
    assign_targets(s, {.base = base});
    change(s);
    checks.add(s);
  }
  Findings findings;
  checks.finish(findings, base, e0);
  return findings.sorted();
}

void scale(Structure& s, Property property, double factor) {
  for (double& value : s.base[property]) value *= factor;
}

/// A base that is right to a tenth.
void nearly_right(Structure& s) {
  for (const TargetInfo& target : targets()) {
    s.base[target.property] = target.rows(s);
    scale(s, target.property, 0.9);
  }
  s.base[Property::energy].front() += 50.0 * s.size();
}

}  // namespace

TEST_CASE("units and signs of the base are compared with the labels") {
  CHECK(findings_of(nearly_right).empty());
  struct Wrong {
    Property property;
    double factor;
    const char* text;
  };
  for (const Wrong& wrong : {Wrong{Property::energy, 1 / 27.2114, "Hartree"},
                             {Property::energy, 23.06, "the base seems to be in kcal/mol"},
                             {Property::force, 1 / 51.42, "the base seems to be in Hartree/Bohr"},
                             {Property::force, -1, "have the opposite sign (a gradient?)"},
                             {Property::force, -1 / 51.42, "opposite sign (a gradient?); moreover, the base seems to be in Hartree/Bohr"},
                             {Property::force, 96.5, "kJ/mol/Å"},
                             {Property::force, 1 / 0.0433, "kcal/mol/Å"},
                             {Property::virial, 160.2, "GPa"},
                             {Property::virial, -1, "have the opposite sign"}}) {
    const auto found = findings_of([&](Structure& s) {
      nearly_right(s);
      scale(s, wrong.property, wrong.factor);
    });
    CAPTURE(wrong.text);
    REQUIRE(found.size() == 1);
    CAPTURE(found.front().message);
    CHECK(found.front().is_error());
    CHECK(found.front().message.find(wrong.text) != std::string::npos);
  }
}

TEST_CASE("a base that is the labels is an error, one that is worse than none a warning") {
  const auto same = findings_of([](Structure& s) {
    for (const TargetInfo& target : targets()) s.base[target.property] = target.rows(s);
  });
  REQUIRE(same.size() == 3);
  for (const CheckFinding& finding : same) {
    CHECK(finding.is_error());
    CHECK(finding.message.find("nothing is left to learn") != std::string::npos);
  }
  const auto worse = findings_of([](Structure& s) {
    nearly_right(s);
    for (std::size_t i = 0; i < s.base[Property::force].size(); ++i) s.base[Property::force][i] = std::sin(static_cast<double>(17 * i * i));
    for (double& value : s.base[Property::force]) value *= 2 * s.forces->cwiseAbs().maxCoeff();
  });
  REQUIRE(worse.size() == 1);
  CHECK(!worse.front().is_error());
  CHECK(worse.front().message.find("worse than none for forces") != std::string::npos);
  // Reference energies of the labels in place of those of the difference.
  const auto atoms = findings_of(nearly_right, {{14, -400}, {8, -400}, {1, -400}, {6, -400}, {32, -400}});
  for (const CheckFinding& finding : atoms) CHECK(finding.message.find("those of the difference") != std::string::npos);
  CHECK(atoms.size() == 1);
}
