// Posterior variances of forces and virials, of differences, and the joint covariance, against dense references in long double and
// against finite differences of energy covariances (methods.md, section 5).

#include <cmath>
#include <gapkit/model/prior.hpp>

#include "support/dense_setups.hpp"
#include "support/distributions.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Posterior covariance of the total energies of two structures, novelty and data part, through the difference's variance.
double energy_covariance(Covariance& covariance, const Environments& a, const Environments& b) {
  return 0.5 * (covariance.total_energy(a, 0).total() + covariance.total_energy(b, 0).total() - covariance.energy_difference(a, b).total());
}

Structure perfect_silicon() {
  Structure s;
  s.cell = Matrix3(5.43 * Matrix3::Identity());
  s.pbc = {true, true, true};
  s.atomic_numbers.assign(8, 14);
  s.positions.resize(8, 3);
  s.positions << 0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.25, 0.75, 0.75, 0.75, 0.25;
  s.positions *= 5.43;
  return s;
}

}  // namespace

TEST_CASE("prior variances of energies, forces, virials and their joint energies equal plain double sums") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    Prior prior(setup.terms);
    const auto structures = all_of(setup);
    for (const Structure& s : structures) {
      const StructureEnvironments environments(s, largest_cutoff(setup.terms));
      const std::vector<DenseFunctional> rows = observables_of(setup.terms, s);
      const LongVector expected = prior_variance(setup.terms, rows);
      const PriorVariances actual = prior.observables(environments.view(), s.size(), {});
      REQUIRE(actual.value.rows() == expected.size());
      const Vector value = actual.value.rowwise().sum(), magnitude = actual.magnitude.rowwise().sum();
      double worst = 0;
      for (Eigen::Index i = 0; i < value.size(); ++i) {
        CHECK(magnitude[i] >= 0.5 * value[i]);
        update(worst, static_cast<double>(std::abs(value[i] - expected[i]) / std::max<long double>(expected[i], 1e-6)));
      }
      MESSAGE(setup.label, ": prior ", worst);
      CHECK(worst <= 1e-8);
      // Forces of the first atoms only
      const PriorVariances some = prior.observables(environments.view(), 2, {.energy = false, .forces = true, .virial = false});
      CHECK(largest_difference(some.value, actual.value.middleRows(1, 6)) <= 1e-12 * actual.value.maxCoeff());
      const StructureEnvironments other(structures[0], largest_cutoff(setup.terms));
      const std::vector<DenseFunctional> first = observables_of(setup.terms, structures[0]);
      const LongMatrix cross = prior_covariance(setup.terms, {rows[0]}, {first[0]});
      check_close(prior.energies(environments.view(), other.view()).sum(), static_cast<double>(cross(0, 0)), 1e-12, 1e-9);
    }
  }
}

TEST_CASE("posterior variances of forces and virials equal the dense sparse-GP expressions") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    const Model model = model_of(setup);
    const Observations data = observations_of(setup.options, setup.terms, model.reference_energies, setup.train);
    const DenseSparseProcess dense(setup.terms, model.factor.jitter(), data);
    Covariance covariance(model);
    Worst worst;
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, model.cutoff());
      const std::vector<DenseFunctional> rows = observables_of(setup.terms, s);
      const LongVector prior = prior_variance(setup.terms, rows);
      const Worst one = compare(covariance.observables(environments.view(), s.size(), {}), {prior, dense.novelty(rows), dense.data(rows)},
                                1e-6 * static_cast<double>(prior.maxCoeff()));
      update(worst.novelty, one.novelty);
      update(worst.data, one.data);
      update(worst.total, one.total);
    }
    MESSAGE(setup.label, ": novelty ", worst.novelty, ", data ", worst.data);
    CHECK(worst.novelty <= 1e-8);
    CHECK(worst.data <= 1e-8);
  }
}

TEST_CASE("force and stress variances equal finite differences of energy covariances") {
  for (const Setup& setup : general_setups()) {
    if (setup.once_differentiable) continue;
    CAPTURE(setup.label);
    const Model model = model_of(setup);
    Covariance covariance(model);
    const Structure& s = setup.other[0];
    const StructureEnvironments environments(s, model.cutoff());
    const std::vector<Variance> rows = covariance.observables(environments.view(), s.size(), {});
    double unit = 0;
    for (const Variance& v : rows) unit = std::max(unit, v.total());
    const double step = 2e-3;
    // Var(dE) = Var(E(+) − E(−)) / (2 step)²
    const auto numerical = [&](const Structure& plus, const Structure& minus) {
      const StructureEnvironments a(plus, model.cutoff()), b(minus, model.cutoff());
      return covariance.energy_difference(a.view(), b.view()).total() / (4 * step * step);
    };
    double worst = 0;
    for (int atom = 0; atom < s.size(); ++atom)
      for (int a = 0; a < 3; ++a) {
        Structure plus = s, minus = s;
        plus.positions(atom, a) += step;
        minus.positions(atom, a) -= step;
        const double expected = rows[static_cast<std::size_t>(1 + 3 * atom + a)].total();
        update(worst, std::abs(numerical(plus, minus) - expected) / unit);
      }
    const auto first_virial = static_cast<std::size_t>(1 + 3 * s.size());
    constexpr int voigt[3][2] = {{0, 0}, {1, 1}, {2, 2}};
    for (std::size_t c = 0; c < 3; ++c) {
      Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
      up(voigt[c][0], voigt[c][1]) += step;
      down(voigt[c][0], voigt[c][1]) -= step;
      update(worst, std::abs(numerical(deformed(s, up), deformed(s, down)) - rows[first_virial + c].total()) / unit);
    }
    MESSAGE(setup.label, ": ", worst);
    CHECK(worst <= 2e-3);
  }
}

TEST_CASE("exact Gaussian process: force and virial variances where the sparse set spans the features") {
  for (const bool periodic : {true, false}) {
    CAPTURE(periodic);
    Setup setup;
    setup.options.regularization.standard = {0.01, 0.1, 0.2};
    setup.jitter = 1e-12;
    std::vector<Structure> structures = random_structures(4, 3, 171, silicon);
    if (!periodic) structures = as_molecules(structures);
    setup.other = {structures.back()};
    structures.pop_back();
    setup.train = structures;
    const TermOptions soap = small_soap(2, 1, 2, 0);
    const Eigen::Index size = make_term(soap, {14}, silicon, Matrix(0, 1)).descriptor->size();
    setup.terms.push_back(make_term(soap, {14}, silicon, random_points(size * (size + 1), size, 5)));
    const Model model = model_of(setup);
    const DenseProcess exact(setup.terms, observations_of(setup.options, setup.terms, model.reference_energies, setup.train));
    Covariance covariance(model);
    double worst = 0;
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, model.cutoff());
      const std::vector<DenseFunctional> rows = observables_of(setup.terms, s);
      const LongVector prior = prior_variance(setup.terms, rows), expected = exact.variance(rows);
      const std::vector<Variance> actual = covariance.observables(environments.view(), s.size(), {});
      for (std::size_t i = 0; i < actual.size(); ++i) {
        const auto k = static_cast<Eigen::Index>(i);
        update(worst, static_cast<double>(std::abs(actual[i].total() - expected[k]) / std::max<long double>(prior[k], 1e-6)));
      }
    }
    MESSAGE("worst ", worst);
    CHECK(worst <= 1e-6);
  }
}

TEST_CASE("differences and joint energies: one covariance") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    const Model model = model_of(setup);
    Covariance covariance(model);
    const std::vector<Structure> structures = all_of(setup);
    std::vector<std::unique_ptr<StructureEnvironments>> owners;
    std::vector<Environments> views;
    for (const Structure& s : structures) {
      owners.push_back(std::make_unique<StructureEnvironments>(s, model.cutoff()));
      views.push_back(owners.back()->view());
    }
    const Covariance::Joint joint = covariance.total_energies(views);
    const double unit = joint.data.diagonal().maxCoeff() + joint.novelty.diagonal().maxCoeff();
    const auto total = [&](Eigen::Index i, Eigen::Index j) { return joint.novelty(i, j) + joint.data(i, j); };
    for (std::size_t i = 0; i < views.size(); ++i)
      for (std::size_t j = 0; j < views.size(); ++j) {
        const auto a = static_cast<Eigen::Index>(i), b = static_cast<Eigen::Index>(j);
        check_close(total(a, b), energy_covariance(covariance, views[i], views[j]), 1e-9 * covariance.prior_total_energy(views[i]));
        const Variance difference = covariance.energy_difference(views[i], views[j]);
        if (i == j) CHECK(difference.total() <= 1e-9 * covariance.prior_total_energy(views[i]));
        check_close(difference.total(), total(a, a) + total(b, b) - 2 * total(a, b), 1e-9 * covariance.prior_total_energy(views[i]));
      }
    REQUIRE(unit > 0);
  }
}

TEST_CASE("forces in groups equal forces at once, and a perfect crystal has none to doubt") {
  Setup setup;
  setup.options.regularization.standard = {0.01, 0.1, 0.2};
  setup.train = random_structures(3, 4, 191, silicon);
  add_terms(setup.terms, small_two_body(0.6, 0), silicon, setup.train, 9);
  add_terms(setup.terms, small_soap(3, 2, 4, 0), silicon, setup.train, 9);
  const Model model = model_of(setup);
  Covariance covariance(model);
  const Structure crystal = perfect_silicon();
  const StructureEnvironments perfect(crystal, model.cutoff());
  for (const Variance& v : covariance.observables(perfect.view(), 8, {.energy = false, .forces = true, .virial = false})) {
    CHECK(v.total() >= 0);
    CHECK(v.total() <= 1e-10);
  }
  // Large enough for several groups in the prior, and rows that are cut.
  const Structure large = random_triclinic(1800, 7);
  const StructureEnvironments environments(large, model.cutoff());
  const auto forces = covariance.observables(environments.view(), large.size(), {.energy = false, .forces = true, .virial = false});
  const auto some = covariance.observables(environments.view(), 20, {.energy = false, .forces = true, .virial = false});
  double worst = 0, unit = 0;
  for (std::size_t i = 0; i < some.size(); ++i) {
    unit = std::max(unit, some[i].total());
    update(worst, std::abs(some[i].total() - forces[i].total()));
  }
  REQUIRE(unit > 1e-3);
  CHECK(worst <= 1e-9 * unit);
}

// Each environment's shear cancels by itself there: rounding is all that is summed.
TEST_CASE("a perfect crystal has no shear stress to doubt, and error bars of its diagonal") {
  const auto body_centred = [](double a) {
    Structure crystal;
    crystal.cell = Matrix3(a * Matrix3::Identity());
    crystal.pbc = {true, true, true};
    crystal.atomic_numbers = {14, 14};
    crystal.positions = Positions::Zero(2, 3);
    crystal.positions.row(1).setConstant(0.5 * a);
    return crystal;
  };
  Setup setup;
  setup.options.regularization.standard = {0.01, 0.1, 0.2};
  std::mt19937_64 random(5);
  test::Normal normal(0, 0.05);
  for (int i = 0; i < 30; ++i) {
    Structure s = body_centred(2.9 + 0.01 * i);
    for (Eigen::Index k = 0; k < s.positions.size(); ++k) s.positions.data()[k] += normal(random);
    setup.train.push_back(labelled(s));
  }
  setup.jitter = 1e-12;
  add_terms(setup.terms, small_soap(8, 8, 4, 0), silicon, setup.train, 60);
  const Model model = model_of(setup);
  Covariance covariance(model);
  for (const double a : {2.9, 3.0, 3.05, 3.1, 3.2}) {
    CAPTURE(a);
    const Structure crystal = body_centred(a);
    const StructureEnvironments perfect(crystal, model.cutoff());
    const auto virial = covariance.observables(perfect.view(), crystal.size(), {.energy = false, .forces = false, .virial = true});
    REQUIRE(virial.size() == 6);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(virial[i].total() > 1e-9);
      CHECK(virial[i + 3].total() >= 0);
      CHECK(virial[i + 3].total() <= 1e-12);
    }
  }
}

TEST_CASE("energies only, every training environment in the sparse set: the exact process for every other kernel and descriptor") {
  struct Case {
    std::string label;
    TermOptions term;
  };
  std::vector<Case> cases = {{"three_body", small_three_body(0.7, 0, 2.7)},
                             {"two_body compact", small_two_body(1, 0, 3.2)},
                             {"three_body compact", small_three_body(1, 0, 2.7)},
                             {"soap squared_exponential", small_soap(2, 2, 1, 0)}};
  cases[1].term.kernel = cases[2].term.kernel = "piecewise_polynomial";
  cases[1].term.kernel_parameters = {{"length_scale", 1.0}, {"smoothness", std::int64_t{2}}};
  cases[2].term.kernel_parameters = {{"length_scale", std::vector<double>{2.0, 1.5, 1.8}}, {"smoothness", std::int64_t{1}}};
  cases[3].term.kernel = "squared_exponential";
  cases[3].term.kernel_parameters = {{"length_scale", 0.15}};
  for (const Case& c : cases)
    for (const bool periodic : {true, false}) {
      CAPTURE(c.label);
      CAPTURE(periodic);
      Setup setup;
      setup.options.use[Property::force] = setup.options.use[Property::virial] = false;
      setup.options.regularization.standard[Property::energy] = 0.05;
      setup.jitter = 1e-12;
      setup.train = random_structures(4, 3, 261, silicon);
      if (!periodic) setup.train = as_molecules(setup.train);
      add_terms(setup.terms, c.term, silicon, setup.train, 1000);
      REQUIRE(!setup.terms.empty());
      const Model model = model_of(setup);
      const DenseProcess exact(setup.terms, observations_of(setup.options, setup.terms, model.reference_energies, setup.train));
      Covariance covariance(model);
      double worst = 0;
      for (const Structure& s : setup.train) {
        const StructureEnvironments environments(s, model.cutoff());
        const std::vector<DenseFunctional> energy = observables_of(setup.terms, s, {true, false, false});
        const auto prior = static_cast<double>(prior_variance(setup.terms, energy)[0]);
        if (prior == 0) continue;
        const double actual = covariance.total_energy(environments.view(), s.size()).total();
        update(worst, std::abs(actual - static_cast<double>(exact.variance(energy)[0])) / prior);
      }
      MESSAGE(c.label, ": ", worst);
      CHECK(worst <= 1e-8);
    }
}
