// Terms over several elements: which combinations they expand to, their own numbers and amplitudes, and those that the data lack.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Two carbon atoms are never within 4 Å of each other.
std::vector<Structure> frames_without_carbon_pairs() {
  std::vector<Structure> frames = {lone_atom(6), lone_atom(14)};
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Structure s = random_triclinic(6, seed, {14});
    s.cell.reset();
    s.pbc = {false, false, false};
    s.atomic_numbers[0] = 6;
    frames.push_back(labelled(s));
  }
  return frames;
}

Structure methyl() {
  Structure s;
  s.atomic_numbers = {6, 6, 14};
  s.positions.resize(3, 3);
  s.positions << 0, 0, 0, 1.7, 0, 0, 0.2, 1.9, 0.3;
  return labelled(s);
}

std::map<std::string, const Term*> by_combination(const Model& model) {
  std::map<std::string, const Term*> result;
  for (const Term& term : model.terms) result[term.name + " " + combination_name(term.species)] = &term;
  return result;
}

}  // namespace

TEST_CASE("a term over all elements expands to every pair and to every centre with every pair of neighbours") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 4; ++seed) frames.push_back(labelled(random_triclinic(9, seed, {6, 14})));
  TermOptions pair = small_two_body(0.6, 3), triplet = small_three_body(1.5, 4);
  pair.species_delta = {{"C-C", 3.0}};
  pair.delta = 1.5;
  pair.species_n_sparse = {{"C-Si", 5}};
  triplet.species_delta = {{"Si-C-Si", 0.7}};
  triplet.species_n_sparse = {{"C-C-Si", 6}};
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), {pair, triplet});
  const Model model = fit(options).model;
  const auto terms = by_combination(model);
  const std::map<std::string, std::pair<int, double>> expected = {
      {"two_body C-C", {3, 3.0}},      {"two_body C-Si", {5, 1.5}},      {"two_body Si-Si", {3, 1.5}},
      {"three_body C-C-C", {4, 0.3}},  {"three_body C-C-Si", {6, 0.3}},  {"three_body C-Si-Si", {4, 0.3}},
      {"three_body Si-C-C", {4, 0.3}}, {"three_body Si-C-Si", {4, 0.7}}, {"three_body Si-Si-Si", {4, 0.3}}};
  REQUIRE(terms.size() == expected.size());
  for (const auto& [combination, values] : expected) {
    const std::string name = combination;
    CAPTURE(name);
    REQUIRE(terms.count(name) == 1);
    CHECK(terms.at(name)->sparse.size() == values.first);
    CHECK(terms.at(name)->delta == values.second);
  }
  // The plan's counts are those of the descriptors.
  const FitPlan plan = plan_fit(options);
  for (const FitPlan::TermPlan& entry : plan.terms) {
    CAPTURE(entry.label);
    const Term& term = *terms.at(entry.label);
    std::int64_t count = 0;
    for (const Structure& s : frames) {
      const StructureEnvironments environments(s, term.descriptor->cutoff());
      Features features;
      term.descriptor->compute(environments.view(), 0, s.size(), Derivatives::none, features);
      count += features.size();
    }
    CHECK(entry.candidates == count);
  }
}

TEST_CASE("named triplets: the centre stays first, the neighbours may stand in either order") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 3; ++seed) frames.push_back(labelled(random_triclinic(9, seed, {6, 14})));
  const std::string train = write_frames((folder.path() / "train.xyz").string(), frames);
  const auto labels = [&](std::vector<std::string> species) {
    TermOptions triplet = small_three_body(1.5, 4);
    triplet.species = std::move(species);
    std::vector<std::string> result;
    for (const auto& term : plan_fit(small_options(train, {triplet})).terms) result.push_back(term.label);
    return result;
  };
  CHECK(labels({"Si-Si-C"}) == std::vector<std::string>{"three_body Si-C-Si"});
  CHECK(labels({"C-Si-Si", "C-C-Si"}) == std::vector<std::string>{"three_body C-C-Si", "three_body C-Si-Si"});
  CHECK(labels({"C"}) == std::vector<std::string>{"three_body C-C-C"});
  CHECK(labels({}).size() == 6);
}

TEST_CASE("combinations that the training data lack: reported, stored in the model, counted as novelty") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), frames_without_carbon_pairs());
  TermOptions triplet = small_three_body(1.5, 8);
  triplet.length_scale_fraction = 0.5;
  const FitConfiguration options = small_options(train, {small_two_body(0.7, 8), triplet, small_soap(2, 2, 2, 6)});
  std::vector<std::string> warnings;
  const Model fitted = fit(options, [&](const ProgressEvent& e) {
                         if (e.is_warning) warnings.push_back(e.message);
                       }).model;
  for (const char* text :
       {"term 'two_body' has no environment of C-C in", "term 'three_body' has no environment of C-C-C, C-C-Si, Si-C-C in"})
    CHECK(std::any_of(warnings.begin(), warnings.end(), [&](const std::string& w) { return w.find(text) != std::string::npos; }));
  const auto path = folder.path() / "model.h5";
  save_model(fitted, path);
  const auto model = std::make_shared<const Model>(load_model(path));
  const auto terms = by_combination(*model);
  for (const char* empty : {"two_body C-C", "three_body C-C-C", "three_body C-C-Si", "three_body Si-C-C"}) {
    CAPTURE(empty);
    CHECK(terms.at(empty)->sparse.size() == 0);
  }
  CHECK(terms.at("three_body Si-C-Si")->sparse.size() > 0);

  Predictor predictor(model);
  const PredictionRequest request{.forces = true, .energy_std = true, .local_std = true};
  for (const Structure& frame : read_targets(train)) CHECK(predictor.compute(frame, request).unsampled_terms.empty());
  const Structure strange = methyl();
  const Prediction p = predictor.compute(strange, request);
  std::vector<std::string> met;
  for (const std::size_t t : p.unsampled_terms) met.push_back(model->terms[t].label());
  CHECK(met == std::vector<std::string>{"two_body C-C", "three_body C-C-Si", "three_body Si-C-C"});

  // Without the empty terms: the same mean, and a variance that lacks their prior.
  Model without = *model;
  const std::size_t pair = static_cast<std::size_t>(terms.at("two_body C-C") - model->terms.data());
  without.terms[pair].delta = 1e-9;
  Predictor other(std::make_shared<const Model>(without));
  const Prediction q = other.compute(strange, request);
  CHECK(q.energy == p.energy);
  CHECK(largest_difference(*q.forces, *p.forces) == 0);
  // One pair, seen from both ends: k** = δ² (2 f)² at r = 1.7 Å, where f = 1.
  check_close(std::pow(*p.energy_std_epistemic, 2) - std::pow(*q.energy_std_epistemic, 2), 4.0, 1e-7);
}

TEST_CASE("a term without any environment is refused only where its length scale needs one") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), {lone_atom(14), labelled(random_triclinic(4, 3, {14}))});
  TermOptions triplet = small_three_body(1.5, 8, 1.2);
  triplet.descriptor_parameters.set("cutoff_width", 0.2);
  CHECK(fit(small_options(train, {small_two_body(0.7, 8), triplet})).model.terms.back().sparse.size() == 0);
  triplet.length_scale_fraction = 0.5;
  CHECK(message_of<InputError>([&] {
          fit(small_options(train, {small_two_body(0.7, 8), triplet}));
        }).find("three_body") != std::string::npos);
}
