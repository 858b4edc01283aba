// Symmetry functions that training data choose and scale: fits, model files, appends, merges, refusals.

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/model/statistics.hpp>
#include <gapkit/predict/predictor.hpp>

#include "fit/functions.hpp"
#include "learned_setup.hpp"
#include "support/pair_potential.hpp"
#include "support/prediction_derivatives.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

TermOptions functions_term(const Parameters& more, int n_sparse = 12) {
  TermOptions term = small_soap(3, 2, 3, n_sparse);
  term.name = term.descriptor = "symmetry_functions";
  Parameters given = {{"cutoff", 4.0}};
  for (const auto& [name, value] : more.values()) given.set(name, value);
  term.descriptor_parameters = complete_parameters(given, descriptor_kind("symmetry_functions").parameters, "test");
  term.kernel = "squared_exponential";
  term.kernel_parameters = {{"length_scale", std::vector<double>{1.0}}};
  term.length_scale_root = 4.0;
  return term;
}

FitConfiguration options_of(const TermOptions& term) {
  FitConfiguration options = small_options("", {term});
  options.keep_statistics = true;
  return options;
}

const FunctionSet& set_of(const Term& term) {
  const ChosenFunctions* functions = term.descriptor->chosen_functions();
  REQUIRE(functions != nullptr);
  REQUIRE(functions->chosen() != nullptr);
  return *functions->chosen();
}

// Scaled features of all environments of the frames.
Matrix features_of(const Descriptor& descriptor, const std::vector<Structure>& frames) {
  Matrix all(0, descriptor.size());
  Features features;
  for (const Structure& s : frames) {
    const StructureEnvironments near(s, descriptor.cutoff());
    descriptor.compute(near.view(), 0, s.size(), Derivatives::none, features);
    const Eigen::Index before = all.rows();
    all.conservativeResize(before + features.size(), Eigen::NoChange);
    all.bottomRows(features.size()) = features.x.view();
  }
  return all;
}

double largest_difference_with_bars(const Model& a, const Model& b, const std::vector<Structure>& structures) {
  Predictor first(std::make_shared<const Model>(a)), second(std::make_shared<const Model>(b));
  double worst = 0;
  for (const Structure& s : structures) {
    const PredictionRequest request{.energy_std = true, .force_std = true};
    const Prediction p = first.compute(s, request), q = second.compute(s, request);
    worst = worse(worst, std::abs(p.energy - q.energy));
    worst = worse(worst, largest_difference(p.forces.value(), q.forces.value()));
    worst = worse(worst, std::abs(p.energy_std.value() - q.energy_std.value()));
    worst = worse(worst, largest_difference(p.forces_std.value(), q.forces_std.value()));
  }
  return worst;
}

const Parameters short_list = {
    {"functions",
     std::string("G2 eta=0.1\nG2 eta=2 r_s=2.5\nG5 eta=0.05 lambda=1 zeta=2\nG5 eta=0.05 lambda=-1 zeta=1\nG4 eta=0.02 lambda=1 zeta=1")}};

}  // namespace

TEST_CASE("symmetry functions: scaled by the environments of each centre element, and the length scale follows their number") {
  const std::vector<Structure> frames = frames_of(1, 8, {6, 14});
  std::vector<std::string> messages;
  const FitRun run{.progress = [&](const ProgressEvent& e) {
    if (e.phase == "functions" && !e.message.empty()) messages.push_back(e.message);
  }};
  const FitResult result = fitted(frames, options_of(functions_term(short_list)), run);
  REQUIRE(result.model.terms.size() == 2);
  CHECK(messages.size() == 2);
  for (const Term& term : result.model.terms) {
    CAPTURE(term.label());
    const Matrix x = features_of(*term.descriptor, frames);
    REQUIRE(x.cols() == static_cast<Eigen::Index>(set_of(term).functions.size()));
    REQUIRE(x.cols() >= 8);
    for (Eigen::Index f = 0; f < x.cols(); ++f) {
      CHECK(std::abs(x.col(f).mean()) <= 1e-9);
      check_close(x.col(f).squaredNorm() / static_cast<double>(x.rows()), 1, 1e-9);
    }
    check_close(term.kernel->parameters().reals("length_scale").at(0), 4 * std::sqrt(static_cast<double>(x.cols())), 1e-12);
  }
}

TEST_CASE("symmetry functions: forces and virial of a fitted model are derivatives of its energy") {
  for (const double sphere : {0.0, 2.0}) {
    Parameters more = short_list;
    more.set("sphere", sphere);
    TermOptions term = functions_term(more);
    if (sphere > 0) {
      term.kernel = "dot_product";
      term.kernel_parameters = {{"zeta", 2.0}};
      term.length_scale_root.reset();
    }
    const FitResult result = fitted(frames_of(1, 8, {6, 14}), options_of(term));
    Predictor predictor(std::make_shared<const Model>(result.model));
    const Structure s = random_triclinic(5, 77, {6, 14});
    CHECK(predictor.compute(s).forces->cwiseAbs().maxCoeff() > 1e-2);
    check_derivatives(predictor, s);
  }
}

TEST_CASE("symmetry functions: functions without range are dropped by name, the others selected in a nested way") {
  const std::vector<Structure> frames = frames_of(1, 12);
  Parameters more = {{"functions", std::string("auto")}};
  const auto chosen = [&](std::int64_t count) {
    more.set("n_select", count);
    std::string message;
    const FitRun run{.progress = [&](const ProgressEvent& e) {
      if (e.phase == "functions" && !e.message.empty()) message = e.message;
    }};
    const FitResult result = fitted(frames, options_of(functions_term(more)), run);
    CAPTURE(message);
    CHECK(message.find("dropped because their values hardly differ: G2 Si eta=") != std::string::npos);
    CHECK((count == 0 || message.find("not selected") != std::string::npos));
    const FunctionSet& set = set_of(result.model.terms[0]);
    for (Eigen::Index f = 0; f < set.statistics.rows(); ++f)
      CHECK(set.statistics(f, largest_value) - set.statistics(f, smallest_value) >= 0.01);
    return set.functions;
  };
  const auto all = chosen(0), ten = chosen(10), five = chosen(5);
  CHECK(all.size() > 15);
  CHECK(all.size() < 40);
  REQUIRE(ten.size() == 10);
  REQUIRE(five.size() == 5);
  for (const SymmetryFunction& f : five) CHECK(std::find(ten.begin(), ten.end(), f) != ten.end());
  for (const SymmetryFunction& f : ten) CHECK(std::find(all.begin(), all.end(), f) != all.end());
}

TEST_CASE("symmetry functions: the selection takes the column with the largest remaining variance") {
  const auto descriptor =
      descriptor_kind("symmetry_functions").make(functions_term({{"scaling", std::string("none")}}).descriptor_parameters, {14}, {14});
  FunctionValues all;
  all.functions.resize(4);
  for (std::size_t i = 0; i < 4; ++i) all.functions[i].eta = static_cast<double>(i + 1);
  all.values.resize(4, 4);
  // Column 1 varies most; column 0 is half of it, so that nothing of it is left; column 3 is constant.
  all.values << 1, 2, 0.1, 5, -1, -2, 0.1, 5, 1, 2, -0.1, 5, -1, -2, -0.1, 5;
  const auto etas = [&](int most) {
    std::vector<double> result;
    for (const SymmetryFunction& f : choice_of(all, *descriptor->chosen_functions(), 0.01, most).set.functions) result.push_back(f.eta);
    return result;
  };
  CHECK(etas(0) == std::vector<double>{1, 2, 3});
  CHECK(etas(1) == std::vector<double>{2});
  CHECK(etas(2) == std::vector<double>{2, 3});
  const FunctionChoice choice = choice_of(all, *descriptor->chosen_functions(), 0.3, 0);
  CHECK(choice.without_range.size() == 2);
}

TEST_CASE("symmetry functions: a saved model predicts the same, keeps its scaling with new data, and has format 12") {
  const std::vector<Structure> frames = frames_of(1, 8, {6, 14}), more = frames_of(30, 4, {6, 14}), other = frames_of(50, 3, {6, 14});
  FitResult result = fitted(frames, options_of(functions_term(short_list)));
  const TemporaryFolder folder;
  const auto path = folder.path() / "model.h5";
  save_model(result.model, result.statistics.value(), path);
  Model loaded = load_model(path);
  CHECK(largest_difference_with_bars(result.model, loaded, other) <= 1e-10);
  FittedModel continued{loaded, load_statistics(path, loaded)};
  const FunctionSet before = set_of(loaded.terms[0]);
  append(continued, MemoryDataset(more));
  CHECK(set_of(continued.model.terms[0]).functions == before.functions);
  CHECK(largest_difference(set_of(continued.model.terms[0]).statistics, before.statistics) == 0);
  CHECK(largest_difference_with_bars(continued.model, loaded, other) > 1e-6);
}

TEST_CASE("symmetry functions: models merge only if their scaling is equal") {
  const std::vector<Structure> first = frames_of(1, 8), second = frames_of(40, 8);
  const auto merged = [&](const Parameters& given) {
    const FitOptions options = options_of(functions_term(given));
    FitResult a = fitted(first, options);
    FitResult b = fitted(second, options);
    FittedModel mine{a.model, a.statistics.value()}, theirs{b.model, b.statistics.value()};
    return message_of<InputError>([&] { merge(mine, theirs); });
  };
  CHECK(merged(short_list).find("scaled with different data") != std::string::npos);
  Parameters plain = short_list;
  plain.set("scaling", std::string("none"));
  CHECK(merged(plain).find("scaled with different data") == std::string::npos);  // other sparse points, but equal features
}

TEST_CASE("symmetry functions: the fit refuses lists that do not suit the data") {
  const auto refusal = [](const Parameters& given, const std::vector<int>& elements = {14}) {
    const std::vector<Structure> frames = frames_of(1, 6, elements);
    return message_of<InputError>([&] { fitted(frames, options_of(functions_term(given))); });
  };
  const auto list = [](const char* text) { return Parameters{{"functions", std::string(text)}}; };
  CHECK(refusal(list("G2 O eta=0.1")).find("names O, which does not occur in the training data") != std::string::npos);
  CHECK(refusal(list("Si: G2 Si eta=0.1"), {6, 14}).find("no function of the centre C") != std::string::npos);
  CHECK(refusal(list("G2 eta=50 r_s=0.3\nG2 eta=60 r_s=0.2")).find("none of its 2 symmetry functions") != std::string::npos);
  Parameters hard = list("G2 eta=0.1");
  hard.set("cutoff_function", std::string("hard"));
  CHECK(refusal(hard).find("\"hard\" gives energies only") != std::string::npos);
}

TEST_CASE("symmetry functions: a warning names neighbours that no function counts") {
  const auto warnings = [](const char* list) {
    const MemoryDataset data(frames_of(1, 6, {6, 14}));
    std::vector<std::string> found;
    const FitRun run{.progress = [&](const ProgressEvent& event) {
      if (event.is_warning && event.message.find("no symmetry function counts") != std::string::npos) found.push_back(event.message);
    }};
    fit(FitData{data}, options_of(functions_term({{"functions", std::string(list)}})), run);
    return found;
  };
  const std::vector<std::string> blind = warnings("G2 C eta=0.1\nC: G2 Si eta=0.1");
  REQUIRE(blind.size() == 1);
  CHECK(blind[0].find("'symmetry_functions Si': no symmetry function counts the neighbours Si") != std::string::npos);
  CHECK(warnings("G2 eta=0.1").empty());
  CHECK(warnings("G5 C Si eta=0.02 lambda=1 zeta=1").empty());
  CHECK(warnings("wG2 eta=0.1").empty());
}

TEST_CASE("symmetry functions: a hard cutoff is fitted to energies, and predicts no forces") {
  std::vector<Structure> frames = frames_of(1, 8);
  for (Structure& s : frames) {
    s.forces.reset();
    s.virial.reset();
  }
  Parameters hard = short_list;
  hard.set("cutoff_function", std::string("hard"));
  const FitResult result = fitted(frames, options_of(functions_term(hard)));
  Predictor predictor(std::make_shared<const Model>(result.model));
  const Structure s = random_triclinic(4, 90);
  CHECK(std::isfinite(predictor.compute(s, {.forces = false}).energy));
  CHECK(message_of<InputError>([&] { predictor.compute(s); }).find("has no forces") != std::string::npos);
}

TEST_CASE("symmetry functions: an element that occurs only as an isolated atom is named, and 'species' as the way out") {
  std::vector<Structure> frames = frames_of(1, 6);
  Structure atom;
  atom.atomic_numbers = {1};
  atom.positions = Positions::Zero(1, 3);
  atom.pbc = {false, false, false};
  atom.energy = -13.6;
  frames.push_back(atom);
  Parameters automatic = {{"functions", std::string("auto")}};
  FitConfiguration options = options_of(functions_term(automatic));
  options.reference_energies.values["H"] = -13.6;
  const std::string message = message_of<InputError>([&] { fitted(frames, options); });
  CAPTURE(message);
  CHECK(message.find("if H occurs only as an isolated atom, name the other centres in 'species'") != std::string::npos);
}
