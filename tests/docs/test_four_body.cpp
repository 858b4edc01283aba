// A descriptor of four atoms from docs/example, registered with one line, beside SOAP: counts, derivatives, a fit through configuration and
// model file, forces and virial against differences of the energy, error bars against dense references.

#include <gapkit/config/config.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/predict/predictor.hpp>

#include "additions.hpp"
#include "support/dense_setups.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

void register_once() {
  static const bool done = (add_descriptor_kind(example::four_body_kind()), true);
  REQUIRE(done);
}

TermOptions small_four_body(int n_sparse, double range = 3.0) {
  TermOptions t;
  t.name = t.descriptor = "four_body";
  t.descriptor_parameters = {{"range", range}, {"range_width", 1.2}};
  t.kernel = "squared_exponential";
  t.kernel_parameters = {{"length_scale", std::vector<double>{1.5, 12.0, 200.0}}};
  t.n_sparse = n_sparse;
  return t;
}

// Two elements, small cells and molecules.
std::vector<Structure> frames(int count, int atoms) {
  std::vector<Structure> result;
  for (int k = 0; k < count; ++k) result.push_back(random_triclinic(atoms, 300 + static_cast<unsigned>(k), silicon_carbide));
  result[0].cell.reset();
  result[0].pbc = {false, false, false};
  for (Structure& s : result) s = labelled(s);
  return result;
}

}  // namespace

TEST_CASE("four_body: counts are those of compute(), and every combination has its own environments") {
  register_once();
  const DescriptorKind& kind = descriptor_kind("four_body");
  const Structure s = random_triclinic(9, 3, silicon_carbide);
  CHECK(kind.combinations(silicon_carbide).size() == 8);
  CHECK(find_combination(kind, {14, 14, 6, 6}) == std::vector<int>{14, 6, 6, 14});
  CHECK(find_combination(kind, {6, 14, 14, 6}) == std::vector<int>{6, 6, 14, 14});
  std::int64_t environments = 0, expected = 0;
  for (const auto& species : kind.combinations(silicon_carbide)) {
    const auto descriptor = kind.make({{"range", 3.4}, {"range_width", 1.0}}, species, silicon_carbide);
    const StructureEnvironments owner(s, 4.1);
    Features features;
    for (int c = 0; c < s.size(); ++c) {
      descriptor->compute(owner.view(), c, c + 1, Derivatives::none, features);
      CHECK(descriptor->count(owner.view(), c).environments == features.size());
      environments += features.size();
    }
  }
  const NeighborList list(s, 3.4);
  for (std::size_t i = 0; i < 9; ++i) {
    const auto n = static_cast<std::int64_t>(list.begin()[i + 1] - list.begin()[i]);
    expected += n * (n - 1) * (n - 2) / 6;
  }
  CHECK(environments == expected);
  CHECK(message_of<InputError>([] { add_descriptor_kind(example::four_body_kind()); }) == "there is a descriptor 'four_body' already");
}

TEST_CASE("four_body beside soap in a fit: forces and virial are derivatives of the energy, before and after the model file") {
  register_once();
  const TemporaryFolder folder;
  write_frames((folder.path() / "train.xyz").string(), frames(7, 6));
  const std::string toml = R"([data]
train = ["train.xyz"]
[reference_energies]
mode = "least_squares"
[[term]]
descriptor = "four_body"
range = 3.2
range_width = 1.0
kernel = "squared_exponential"
length_scale = [1.5, 12.0, 200.0]
delta = { default = 0.5, "Si-Si-C-Si" = 0.7 }
n_sparse = 8
[[term]]
descriptor = "soap"
cutoff = 3.6
n_max = 2
l_max = 2
kernel = "dot_product"
zeta = 2
n_sparse = 10
[regularization]
energy = 0.01
force = 0.1
virial = 0.2
)";
  FitConfiguration options = parse_fit_options(toml, "c.toml", folder.path());
  const FitPlan plan = plan_fit(options);
  REQUIRE(plan.terms.size() == 10);
  const Model fitted = fit(options).model;
  for (std::size_t t = 0; t < fitted.terms.size(); ++t) {
    const Term& term = fitted.terms[t];
    if (term.descriptor_name != "four_body") continue;
    CHECK(term.delta == (term.species == std::vector<int>{14, 6, 14, 14} ? 0.7 : 0.5));
    std::int64_t count = 0;
    for (const Structure& s : frames(7, 6)) {
      const StructureEnvironments owner(s, term.descriptor->cutoff());
      for (int c = 0; c < s.size(); ++c) count += term.descriptor->count(owner.view(), c).environments;
    }
    CHECK(plan.terms[t].candidates == count);
  }
  const std::string path = (folder.path() / "model.h5").string();
  save_model(fitted, path);
  Predictor before(std::make_shared<const Model>(fitted)), after(std::make_shared<const Model>(load_model(path)));
  const Structure s = random_triclinic(6, 41, silicon_carbide);
  const Prediction p = after.compute(s), first = before.compute(s);
  CHECK(p.energy == first.energy);
  CHECK(largest_difference(*p.forces, *first.forces) == 0);
  const auto energy = [&](const Structure& moved) { return after.compute(moved, {.forces = false}).energy; };
  const double h = 1e-4;
  for (int atom = 0; atom < s.size(); ++atom)
    for (int k = 0; k < 3; ++k) {
      Structure up = s, down = s;
      up.positions(atom, k) += h;
      down.positions(atom, k) -= h;
      check_close((*p.forces)(atom, k), (energy(down) - energy(up)) / (2 * h), 1e-5, 1e-6);
    }
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
      up(a, b) += h;
      down(a, b) -= h;
      check_close((*p.virial)(a, b), (energy(deformed(s, down)) - energy(deformed(s, up))) / (2 * h), 1e-4, 1e-5);
    }
  // The term matters, and error bars are there for everything.
  Model without = fitted;
  const auto offsets = sparse_offsets(without.terms);
  for (std::size_t t = 0; t < without.terms.size(); ++t)
    if (without.terms[t].descriptor_name == "four_body") without.weights.segment(offsets[t], without.terms[t].sparse.size()).setZero();
  CHECK(std::abs(Predictor(std::make_shared<const Model>(without)).compute(s).energy - p.energy) > 1e-3);
  const Prediction bars = after.compute(s, {.energy_std = true, .local_std = true, .force_std = true, .stress_std = true});
  CHECK(*bars.energy_std > 0);
  CHECK(bars.forces_std->minCoeff() > 0);
  CHECK(bars.virial_std->minCoeff() > 0);
  CHECK(bars.local_energy_std_epistemic->minCoeff() > 0);
  CHECK(bars.energy == p.energy);
  const StructureEnvironments owner(s, fitted.cutoff());
  Covariance covariance(fitted);
  const std::vector<Variance> local = covariance.local_energies(owner.view(), s.size());
  for (int i = 0; i < s.size(); ++i)
    check_close((*bars.local_energy_std_epistemic)[i], std::sqrt(local[static_cast<std::size_t>(i)].total()), 1e-9, 1e-7);
}

TEST_CASE("four_body beside soap: variances of energies, forces and virials equal the dense sparse-GP expressions") {
  register_once();
  Setup setup;
  setup.label = "four_body and soap";
  setup.options.regularization.standard = {0.01, 0.1, 0.2};
  setup.train = random_structures(3, 4, 400, silicon);
  setup.other = random_structures(1, 4, 410, silicon);
  TermOptions soap = small_soap(2, 2, 2, 0), four = small_four_body(0);
  soap.delta = 0.4;
  add_terms(setup.terms, four, silicon, setup.train, 9);
  add_terms(setup.terms, soap, silicon, setup.train, 5);
  REQUIRE(setup.terms.size() == 2);
  const Model model = model_of(setup);
  const Observations data = observations_of(setup.options, setup.terms, model.reference_energies, setup.train);
  const DenseSparseProcess dense(setup.terms, model.factor.jitter(), data);
  Covariance covariance(model);
  for (const Structure& s : all_of(setup)) {
    const StructureEnvironments environments(s, model.cutoff());
    const std::vector<DenseFunctional> rows = observables_of(setup.terms, s);
    const LongVector prior = prior_variance(setup.terms, rows);
    const Worst worst = compare(covariance.observables(environments.view(), s.size(), {}), {prior, dense.novelty(rows), dense.data(rows)},
                                1e-6 * static_cast<double>(prior.maxCoeff()));
    CHECK(worst.novelty <= 1e-7);
    CHECK(worst.data <= 1e-7);
  }
}
