// The mean as a sum of potentials: each fitted term, its observer, and baselines with a structure-level part.

#include <gapkit/core/errors.hpp>
#include <gapkit/model/term_potential.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/dense_setups.hpp"
#include "support/prediction_derivatives.hpp"
#include "support/spring_potential.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Pairs, triplets and SOAP of two elements, with weights that need no fit.
Model small_model() {
  Model model;
  model.reference_energies = lone_atom_energies();
  const auto structures = random_structures(3, 6, 31, silicon_carbide);
  add_terms(model.terms, small_two_body(0.6, 0, 3.6), silicon_carbide, structures, 5);
  add_terms(model.terms, small_three_body(1.2, 0, 3.0), silicon_carbide, structures, 4);
  add_terms(model.terms, small_soap(2, 2, 2, 0), silicon_carbide, structures, 5);
  model.weights = random_points(1, sparse_count(model.terms), 3).row(0).transpose();
  return model;
}

std::vector<std::unique_ptr<TermPotential>> term_potentials(const Model& model) {
  std::vector<std::unique_ptr<TermPotential>> result;
  const auto offsets = sparse_offsets(model.terms);
  for (std::size_t t = 0; t < model.terms.size(); ++t)
    result.push_back(std::make_unique<TermPotential>(model.terms[t], model.weights.segment(offsets[t], model.terms[t].sparse.size())));
  return result;
}

}  // namespace

TEST_CASE("each fitted term is a potential: the model's energies, forces and virial are their sum") {
  const Model model = small_model();
  Predictor predictor(std::make_shared<const Model>(model));
  for (const Structure& s : random_structures(2, 7, 50, silicon_carbide)) {
    const Prediction whole = predictor.compute(s);
    Evaluation sum;
    sum.forces = Positions::Zero(s.size(), 3);
    for (const int z : s.atomic_numbers) sum.energy += model.reference_energies.at(z);
    for (const auto& term : term_potentials(model)) {
      CHECK(term->cutoff() > 0);
      CHECK(term->is_sampled());
      const Evaluation one = evaluate(*term, s);
      sum.energy += one.energy;
      sum.forces += one.forces;
      sum.virial += one.virial;
    }
    check_close(whole.energy, sum.energy, 1e-11);
    CHECK(largest_difference(*whole.forces, sum.forces) <= 1e-11);
    CHECK(largest_difference(*whole.virial, sum.virial) <= 1e-11);
  }
  CHECK(term_potentials(model)[0]->name() == model.terms[0].label());
}

TEST_CASE("a term passes every environment once to its observer, with kernel values if they cost nothing") {
  const Model model = small_model();
  const Structure s = random_triclinic(6, 77, silicon_carbide);
  const StructureEnvironments environments(s, model.cutoff());
  const auto terms = term_potentials(model);
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const Term term = shortened(model.terms[t]);
    CAPTURE(term.label());
    Features expected;
    term.descriptor->compute(environments.view(), 0, s.size(), Derivatives::none, expected);
    std::vector<double> shares(6, 0.0), again(6, 0.0);
    int seen = 0, next = 0;
    terms[t]->observe([&](const Environments&, const CentreFeatures& part) {
      const Features& features = part.features;
      CHECK(part.first == next);
      next = part.last;
      seen += features.size();
      REQUIRE(features.size() == expected.size());
      CHECK(largest_difference(features.x.view(), expected.x.view()) == 0);
      if (part.values == nullptr) return;
      Matrix k(features.size(), term.sparse.size());
      term.kernel->compute(features.x.view(), term.sparse.x, k);
      CHECK(largest_difference(*part.values, k) <= 1e-13);
    });
    terms[t]->add(environments.view(), shares, {});
    CHECK(seen == expected.size());
    CHECK(terms[t]->has_environments(environments.view()) == (expected.size() > 0));
    terms[t]->observe({});
    terms[t]->add(environments.view(), again, {});
    CHECK(seen == expected.size());
    CHECK(shares == again);
  }
}

TEST_CASE("a term without sparse points gives no energy, but passes its environments to an observer") {
  Model model = small_model();
  Term term = model.terms.back();
  term.sparse.x.resize(0, term.sparse.x.cols());
  term.sparse.covariance_cutoff.resize(0);
  TermPotential potential(term, Vector());
  CHECK(!potential.is_sampled());
  const Structure s = random_triclinic(5, 78, silicon_carbide);
  CHECK(evaluate(potential, s).energy == 0);
  int seen = 0;
  potential.observe([&](const Environments&, const CentreFeatures& part) {
    seen += part.features.size();
    CHECK(part.values == nullptr);
  });
  CHECK(evaluate(potential, s).energy == 0);
  CHECK(seen == std::count(s.atomic_numbers.begin(), s.atomic_numbers.end(), term.species[0]));
}

TEST_CASE("baselines of every sort in a model: local ones, and one with a structure-level part") {
  Model model = small_model();
  model.baselines = {std::make_shared<SpringPotential>(0.3), make_potential("zbl", {{"inner", 1.5}, {"outer", 2.5}}),
                     make_potential("lennard_jones", {{"sigma", 1.5}, {"epsilon", 0.2}, {"cutoff", 4.0}})};
  Model plain = model;
  plain.baselines.clear();
  Predictor with(std::make_shared<const Model>(model)), without(std::make_shared<const Model>(plain));
  std::vector<Structure> all = random_structures(3, 5, 60, silicon_carbide);
  all[1].cell.reset();
  all[1].pbc = {false, false, false};
  const std::vector<Prediction> together = with.compute(all);
  for (std::size_t k = 0; k < all.size(); ++k) {
    const Structure& s = all[k];
    const Prediction actual = with.compute(s), rest = without.compute(s);
    const Evaluation baselines = evaluate(model.baselines, s);
    check_close(actual.energy, rest.energy + baselines.energy, 1e-10);
    check_close(actual.local_energy.sum(), actual.energy, 1e-11);
    CHECK(largest_difference(*actual.forces, Positions(*rest.forces + baselines.forces)) <= 1e-10);
    CHECK(largest_difference(*actual.virial, Matrix3(*rest.virial + baselines.virial)) <= 1e-10);
    check_close(together[k].energy, actual.energy, 1e-10);
    CHECK(largest_difference(together[k].local_energy, actual.local_energy) <= 1e-10);
    CHECK(largest_difference(*together[k].forces, *actual.forces) <= 1e-10);
    CHECK(largest_difference(*together[k].virial, *actual.virial) <= 1e-10);
  }
  check_derivatives(with, all[0]);
  const StructureEnvironments environments(all[0], model.cutoff());
  CHECK(message_of<InputError>([&] { with.compute(environments.view(), all[0].size()); }).find("'springs'") != std::string::npos);
  check_close(without.compute(environments.view(), all[0].size()).energy, without.compute(all[0]).energy, 1e-11);
}

TEST_CASE("a baseline that does not know an element is named with the structure") {
  Model model = small_model();
  model.baselines = {make_potential("stillinger_weber")};
  Predictor predictor(std::make_shared<const Model>(model));
  std::vector<Structure> all = {random_triclinic(4, 5, {14}), random_triclinic(4, 6, silicon_carbide)};
  all[1].source = "b.xyz:8 (frame 2)";
  CHECK_NOTHROW(predictor.compute(all[0]));
  const std::string expected = "b.xyz:8 (frame 2): stillinger_weber: the parameters are for Si, found C";
  CHECK(message_of<InputError>([&] { predictor.compute(all[1]); }) == expected);
  CHECK(message_of<InputError>([&] { predictor.compute(all); }) == expected);
}
