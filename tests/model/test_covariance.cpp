// Posterior mean and energy variances against dense references in long double (METHODS 5). Tolerances are relative to k**.

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <gapkit/model/covariance.hpp>
#include <numeric>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::vector<int> silicon = {14}, silicon_carbide = {6, 14};

struct Setup {
  std::string label;
  std::vector<Term> terms;
  std::vector<Structure> train, other;  // `other` is not fitted
  FitOptions options;                   // σ's and what is fitted
  double jitter = 1e-8;                 // eV², of every term
};

// Environments of a term in some structures, near-copies left out.
Matrix distinct_environments(const Term& term, const std::vector<Structure>& structures, double tolerance = 1e-6) {
  std::vector<Eigen::RowVectorXd> kept;
  for (const Structure& s : structures) {
    const StructureEnvironments environments(s, term.descriptor->cutoff());
    Features features;
    term.descriptor->compute(environments.view(), 0, s.size(), Derivatives::none, features);
    for (Eigen::Index e = 0; e < features.size(); ++e) {
      const Eigen::RowVectorXd x = features.x.view().row(e);
      const bool is_new = std::none_of(kept.begin(), kept.end(), [&](const auto& k) { return (k - x).cwiseAbs().maxCoeff() <= tolerance; });
      if (is_new) kept.push_back(x);
    }
  }
  Matrix points(static_cast<Eigen::Index>(kept.size()), term.descriptor->size());
  for (std::size_t i = 0; i < kept.size(); ++i) points.row(static_cast<Eigen::Index>(i)) = kept[i];
  return points;
}

Matrix random_points(Eigen::Index count, Eigen::Index size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Matrix points(count, size);
  for (Eigen::Index i = 0; i < points.size(); ++i) points.data()[i] = normal(random);
  points.rowwise().normalize();
  return points;
}

// A term for each combination of the elements; its sparse points are at most `count` of the environments of the structures.
void add_terms(std::vector<Term>& terms, const TermOptions& options, const std::vector<int>& elements,
               const std::vector<Structure>& structures, Eigen::Index count) {
  for (const auto& species : descriptor_kind(options.descriptor).combinations(elements)) {
    Term term = make_term(options, species, elements, Matrix(0, 1));
    const Matrix all = distinct_environments(term, structures);
    const Eigen::Index chosen = std::min(count, all.rows());
    Matrix points(chosen, all.cols());
    for (Eigen::Index i = 0; i < chosen; ++i) points.row(i) = all.row(i * all.rows() / chosen);
    if (chosen > 0) terms.push_back(make_term(options, species, elements, points));
  }
}

std::vector<Structure> random_structures(int count, int atoms, unsigned seed, const std::vector<int>& elements) {
  std::vector<Structure> result;
  for (int i = 0; i < count; ++i) result.push_back(labelled(random_triclinic(atoms, seed + static_cast<unsigned>(i), elements)));
  return result;
}

// The same atoms without cell: no periodic images, no virial.
std::vector<Structure> as_molecules(std::vector<Structure> structures) {
  for (Structure& s : structures) {
    s.cell.reset();
    s.pbc = {false, false, false};
    s.virial.reset();
    s = labelled(s);
  }
  return structures;
}

std::map<int, double> reference_energies() {
  return {{6, lone_atom_energy(6)}, {14, lone_atom_energy(14)}};
}

// The library's way to a posterior: kernel rows, whitening, sufficient statistics, solution. `scale`: amplitudes relative to δ.
Model model_of(const Setup& setup, const std::vector<double>& scale) {
  Model model;
  model.reference_energies = reference_energies();
  model.terms = setup.terms;
  model.factor = SparseFactor::of(model.terms, std::vector<double>(model.terms.size(), setup.jitter));
  SufficientStatistics statistics;
  KernelRows kernel(model.terms);
  const SigmaOptions& sigma = setup.options.regularization.standard;
  for (const Property p : {Property::energy, Property::force, Property::virial}) {
    GroupStatistics g;
    g.group = {p, "default", false, p == Property::energy ? sigma.energy : p == Property::force ? sigma.force : sigma.virial};
    g.gram = SymmetricAccumulator(kernel.columns());
    g.moment = Vector::Zero(kernel.columns());
    statistics.groups.push_back(std::move(g));
  }
  for (const Structure& s : setup.train) {
    const Observables wanted{
        .energy = setup.options.use_energy, .forces = setup.options.use_forces, .virial = setup.options.use_virial && s.virial};
    const Observations data = observations_of(setup.options, model.terms, model.reference_energies, {s});
    const StructureEnvironments environments(s, model.cutoff());
    Matrix rows(wanted.rows(s.size()), kernel.columns());
    kernel.compute(environments.view(), s.size(), wanted, rows);
    REQUIRE(static_cast<std::size_t>(rows.rows()) == data.target.size());
    model.factor.whiten(rows);
    for (Eigen::Index n = 0; n < rows.rows(); ++n) {
      const bool is_energy = wanted.energy && n == 0, is_virial = wanted.virial && n >= wanted.virial_row(s.size());
      GroupStatistics& g = statistics.groups[is_energy ? 0 : is_virial ? 2 : 1];
      const double h = static_cast<double>(data.sigma[static_cast<std::size_t>(n)]) / g.group.sigma;
      const double y = static_cast<double>(data.target[static_cast<std::size_t>(n)]) / h;
      const Matrix phi = rows.row(n) / h;
      g.gram.add_rows(phi);
      g.moment += y * phi.transpose();
      g.target_square += y * y;
      g.log_weight -= 2 * std::log(h);
      ++g.count;
    }
  }
  model.posterior = solve_posterior(statistics, model.factor, scale);
  model.weights = kernel_weights(model.factor, model.posterior);
  return model;
}

Model model_of(const Setup& setup) {
  return model_of(setup, std::vector<double>(setup.terms.size(), 1.0));
}

LongVector mean_of(const Model& model, const Structure& s, const Observables& wanted) {
  KernelRows kernel(model.terms);
  const StructureEnvironments environments(s, model.cutoff());
  Matrix rows(wanted.rows(s.size()), kernel.columns());
  kernel.compute(environments.view(), s.size(), wanted, rows);
  return (rows * model.weights).cast<long double>();
}

std::vector<Structure> all_of(const Setup& setup) {
  std::vector<Structure> all = setup.train;
  all.insert(all.end(), setup.other.begin(), setup.other.end());
  return all;
}

struct Expected {
  LongVector prior, novelty, data;
};

// Worst deviation of energy variances, relative to k**; NaN stays NaN.
struct Worst {
  double prior = 0, novelty = 0, data = 0, total = 0;
};

void update(double& worst, double deviation) {
  if (!(deviation <= worst)) worst = deviation;
}

Worst compare(const std::vector<Variance>& actual, const Expected& expected) {
  Worst worst;
  REQUIRE(static_cast<Eigen::Index>(actual.size()) == expected.prior.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    const long double unit = expected.prior[k];
    if (unit == 0) continue;  // an atom without any environment
    CHECK(actual[i].novelty >= 0);
    CHECK(actual[i].data >= 0);
    update(worst.novelty, static_cast<double>(std::abs(actual[i].novelty - expected.novelty[k]) / unit));
    update(worst.data, static_cast<double>(std::abs(actual[i].data - expected.data[k]) / unit));
    update(worst.total, static_cast<double>(std::abs(actual[i].total() - expected.novelty[k] - expected.data[k]) / unit));
  }
  return worst;
}

// Small structures with and without images, one and two species, SOAP and pairs together.
std::vector<Setup> general_setups() {
  std::vector<Setup> setups;
  const auto add = [&](const std::string& label, std::vector<Structure> structures) -> Setup& {
    Setup& s = setups.emplace_back();
    s.label = label;
    s.options.regularization.standard = {0.01, 0.1, 0.2};
    s.other = {structures.back()};
    structures.pop_back();
    s.train = std::move(structures);
    return s;
  };
  {
    Setup& s = add("soap, periodic", random_structures(4, 3, 11, silicon));
    add_terms(s.terms, small_soap(3, 2, 4, 0), silicon, s.train, 7);
  }
  {
    Setup& s = add("soap with real zeta, periodic", random_structures(4, 2, 12, silicon));
    add_terms(s.terms, small_soap(2, 2, 2.5, 0), silicon, s.train, 5);
  }
  {
    Setup& s = add("two_body, molecules", as_molecules(random_structures(4, 4, 21, silicon)));
    add_terms(s.terms, small_two_body(0.6, 0), silicon, s.train, 9);
  }
  {
    Setup& s = add("two_body and soap, two species, periodic", random_structures(4, 4, 31, silicon_carbide));
    TermOptions pair = small_two_body(0.5, 0, 3.6), soap = small_soap(2, 2, 2, 0);
    pair.delta = 1.7;
    soap.delta = 0.4;
    add_terms(s.terms, pair, silicon_carbide, s.train, 6);
    add_terms(s.terms, soap, silicon_carbide, s.train, 5);
    REQUIRE(s.terms.size() == 5);
  }
  {
    Setup& s = add("soap with squared_exponential, two species, molecules", as_molecules(random_structures(4, 4, 41, silicon_carbide)));
    TermOptions soap = small_soap(2, 1, 1, 0, 4.0);
    soap.kernel = "squared_exponential";
    soap.kernel_parameters = {{"length_scale", 0.4}};
    add_terms(s.terms, soap, silicon_carbide, s.train, 6);
  }
  {
    Setup& s = add("two_body with dot_product, periodic", random_structures(3, 2, 51, silicon));
    TermOptions pair = small_two_body(1, 0, 3.4);
    pair.kernel = "dot_product";
    pair.kernel_parameters = {{"zeta", 2.0}};
    add_terms(s.terms, pair, silicon, s.train, 1);
  }
  return setups;
}

}  // namespace

TEST_CASE("kernel rows of energies, forces, virials and local energies equal plain sums over environments") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    KernelRows kernel(setup.terms);
    const std::vector<Functional> points = sparse_points_of(setup.terms);
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, largest_cutoff(setup.terms));
      const LongMatrix expected = prior_covariance(setup.terms, observables_of(setup.terms, s), points);
      const LongMatrix local = prior_covariance(setup.terms, local_energies_of(setup.terms, s), points);
      Matrix rows(expected.rows(), expected.cols()), local_rows(local.rows(), local.cols());
      kernel.compute(environments.view(), s.size(), {}, rows);
      kernel.compute_local(environments.view(), s.size(), local_rows);
      const double unit = static_cast<double>(expected.cwiseAbs().maxCoeff());
      REQUIRE(unit > 1e-3);
      CHECK(largest_difference(rows.cast<long double>(), expected) <= 1e-12 * unit);
      CHECK(largest_difference(local_rows.cast<long double>(), local) <= 1e-12 * unit);
      // Each selection of observables is the same rows.
      for (const Observables wanted : {Observables{true, false, false}, {false, true, false}, {false, false, true}, {true, false, true}}) {
        const LongMatrix some = prior_covariance(setup.terms, observables_of(setup.terms, s, wanted), points);
        Matrix chosen(wanted.rows(s.size()), kernel.columns());
        kernel.compute(environments.view(), s.size(), wanted, chosen);
        CHECK(largest_difference(chosen.cast<long double>(), some) <= 1e-12 * unit);
      }
    }
  }
}

TEST_CASE("the dense reference's prior covariance is symmetric, positive, and consistent with finite differences") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    const Structure& s = setup.train[0];
    const std::vector<Functional> rows = observables_of(setup.terms, s);
    const LongMatrix k = prior_covariance(setup.terms, rows, rows);
    const auto unit = static_cast<double>(k.cwiseAbs().maxCoeff());
    CHECK(largest_difference(k, k.transpose()) <= 1e-15 * unit);
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(k.cast<double>());
    CHECK(eigen.eigenvalues().minCoeff() >= -1e-12 * unit);
    // k(E, E) moved apart: −∂/∂r of the second argument's energy is the force column.
    const double step = 1e-4;
    for (int a = 0; a < 3; ++a) {
      Structure plus = s, minus = s;
      plus.positions(0, a) += step;
      minus.positions(0, a) -= step;
      const Observables energy{true, false, false};
      const LongMatrix up = prior_covariance(setup.terms, rows, observables_of(setup.terms, plus, energy));
      const LongMatrix down = prior_covariance(setup.terms, rows, observables_of(setup.terms, minus, energy));
      CHECK(largest_difference(LongMatrix((down - up) / (2 * step)), LongMatrix(k.col(1 + a))) <= 1e-6 * unit);
    }
  }
}

TEST_CASE("posterior mean and energy variances equal the dense sparse-GP expressions") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    const Model model = model_of(setup);
    const Observations data = observations_of(setup.options, setup.terms, model.reference_energies, setup.train);
    const DenseSparseProcess dense(setup.terms, model.factor.jitter(), data);
    Covariance covariance(model);
    Worst total, local;
    double mean = 0, prior = 0;
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, model.cutoff());
      const std::vector<Functional> rows = observables_of(setup.terms, s), energy = {rows[0]}, shares = local_energies_of(setup.terms, s);
      const LongVector expected = dense.mean(rows);
      update(mean, largest_difference(mean_of(model, s, {}), expected) / static_cast<double>(expected.cwiseAbs().maxCoeff()));
      const Expected e{prior_variance(setup.terms, energy), dense.novelty(energy), dense.data(energy)};
      const Expected l{prior_variance(setup.terms, shares), dense.novelty(shares), dense.data(shares)};
      const Worst one = compare({covariance.total_energy(environments.view(), s.size())}, e);
      const Worst many = compare(covariance.local_energies(environments.view(), s.size()), l);
      for (const auto part : {&Worst::novelty, &Worst::data}) {
        update(total.*part, one.*part);
        update(local.*part, many.*part);
      }
      update(prior, std::abs(covariance.prior_total_energy(environments.view()) / static_cast<double>(e.prior[0]) - 1));
    }
    MESSAGE(setup.label, ": mean ", mean, ", prior ", prior, ", novelty ", total.novelty, " ", local.novelty, ", data ", total.data, " ",
            local.data);
    CHECK(mean <= 1e-8);
    CHECK(prior <= 1e-10);
    CHECK(total.novelty <= 1e-8);
    CHECK(total.data <= 1e-8);
    CHECK(local.novelty <= 1e-8);
    CHECK(local.data <= 1e-8);
  }
}

TEST_CASE("log evidence equals the density of the dense Gaussian") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    const Model model = model_of(setup);
    const DenseSparseProcess dense(setup.terms, model.factor.jitter(),
                                   observations_of(setup.options, setup.terms, model.reference_energies, setup.train));
    const auto expected = static_cast<double>(dense.log_evidence());
    check_close(model.posterior.log_evidence, expected, 0, 1e-8);
  }
}

TEST_CASE("other amplitudes after the kernel rows were made are a fit with those amplitudes") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    std::vector<double> scale, jitter;
    Setup changed = setup;
    for (std::size_t t = 0; t < setup.terms.size(); ++t) {
      scale.push_back(0.6 + 0.3 * static_cast<double>(t));
      changed.terms[t].delta *= scale[t];
      jitter.push_back(setup.jitter * scale[t] * scale[t]);
    }
    const Model model = model_of(setup, scale);
    const DenseSparseProcess dense(changed.terms, jitter, observations_of(setup.options, changed.terms, reference_energies(), setup.train));
    Covariance covariance(model);
    check_close(model.posterior.log_evidence, static_cast<double>(dense.log_evidence()), 0, 1e-8);
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, model.cutoff());
      const std::vector<Functional> rows = observables_of(changed.terms, s), energy = {rows[0]};
      const LongVector expected = dense.mean(rows);
      CHECK(largest_difference(mean_of(model, s, {}), expected) <= 1e-8 * static_cast<double>(expected.cwiseAbs().maxCoeff()));
      const Worst worst = compare({covariance.total_energy(environments.view(), s.size())},
                                  {prior_variance(changed.terms, energy), dense.novelty(energy), dense.data(energy)});
      CHECK(worst.novelty <= 1e-8);
      CHECK(worst.data <= 1e-8);
      const auto shares = local_energies_of(changed.terms, s);
      const Worst local = compare(covariance.local_energies(environments.view(), s.size()),
                                  {prior_variance(changed.terms, shares), dense.novelty(shares), dense.data(shares)});
      CHECK(local.novelty <= 1e-8);
      CHECK(local.data <= 1e-8);
    }
  }
}

TEST_CASE("energies only, every training environment in the sparse set: the exact Gaussian process") {
  for (const bool periodic : {true, false})
    for (const auto& elements : {silicon, silicon_carbide}) {
      CAPTURE(periodic);
      CAPTURE(elements.size());
      Setup setup;
      setup.options.use_forces = setup.options.use_virial = false;
      setup.options.regularization.standard.energy = 0.05;
      setup.jitter = 1e-12;
      setup.train = random_structures(5, 3, 61, elements);
      if (!periodic) setup.train = as_molecules(setup.train);
      TermOptions soap = small_soap(3, 2, 3, 0);
      soap.delta = 0.5;
      add_terms(setup.terms, small_two_body(0.4, 0, 3.2), elements, setup.train, 1000);
      add_terms(setup.terms, soap, elements, setup.train, 1000);
      const Model model = model_of(setup);
      const DenseProcess exact(setup.terms, observations_of(setup.options, setup.terms, model.reference_energies, setup.train));
      Covariance covariance(model);
      for (const Structure& s : setup.train) {
        const StructureEnvironments environments(s, model.cutoff());
        const std::vector<Functional> energy = observables_of(setup.terms, s, {true, false, false});
        const LongVector expected = exact.mean(energy);
        CHECK(largest_difference(mean_of(model, s, {true, false, false}), expected) <= 1e-8 * static_cast<double>(std::abs(expected[0])));
        const auto actual = covariance.total_energy(environments.view(), s.size());
        const LongVector prior = prior_variance(setup.terms, energy);
        check_close(actual.total(), static_cast<double>(exact.variance(energy)[0]), 1e-8 * static_cast<double>(prior[0]));
        const auto shares = local_energies_of(setup.terms, s);
        const LongVector variance = exact.variance(shares), local_prior = prior_variance(setup.terms, shares);
        const std::vector<Variance> local = covariance.local_energies(environments.view(), s.size());
        for (std::size_t i = 0; i < local.size(); ++i) {
          const auto k = static_cast<Eigen::Index>(i);
          check_close(local[i].total(), static_cast<double>(variance[k]), 1e-8 * static_cast<double>(local_prior[k]));
        }
      }
    }
}

TEST_CASE("energies, forces and virials, features spanned by the sparse set: the exact Gaussian process with derivatives") {
  struct Case {
    double zeta;
    int n_max, l_max;
    std::vector<int> elements;
    bool periodic, with_pairs;
  };
  for (const Case& c : {Case{1, 2, 2, silicon, true, false},
                        {1, 2, 2, silicon, false, true},
                        {1, 2, 1, silicon_carbide, true, true},
                        {2, 2, 1, silicon, true, true},
                        {2, 1, 2, silicon_carbide, false, false}}) {
    CAPTURE(c.zeta);
    CAPTURE(c.elements.size());
    CAPTURE(c.periodic);
    Setup setup;
    setup.options.regularization.standard = {0.01, 0.1, 0.2};
    setup.jitter = 1e-12;
    std::vector<Structure> structures = random_structures(4, c.elements.size() == 1 ? 3 : 4, 71, c.elements);
    if (!c.periodic) structures = as_molecules(structures);
    setup.other = {structures.back()};
    structures.pop_back();
    setup.train = structures;
    const TermOptions soap = small_soap(c.n_max, c.l_max, c.zeta, 0);
    unsigned seed = 1;
    for (const int z : c.elements) {
      const Eigen::Index size = make_term(soap, {z}, c.elements, Matrix(0, 1)).descriptor->size();
      const Eigen::Index dimension = c.zeta == 1 ? size : size * (size + 1) / 2;
      setup.terms.push_back(make_term(soap, {z}, c.elements, random_points(2 * dimension, size, seed++)));
    }
    if (c.with_pairs) {
      TermOptions pair = small_two_body(1, 0, 3.4);
      pair.kernel = "dot_product";
      pair.kernel_parameters = {{"zeta", c.zeta}};
      pair.delta = 0.3;
      setup.terms.push_back(make_term(pair, {14, 14}, c.elements, Matrix::Constant(1, 1, 2.1)));
    }
    const Model model = model_of(setup);
    const DenseProcess exact(setup.terms, observations_of(setup.options, setup.terms, model.reference_energies, setup.train));
    Covariance covariance(model);
    double mean = 0, total = 0, local_worst = 0;
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, model.cutoff());
      const std::vector<Functional> rows = observables_of(setup.terms, s), energy = {rows[0]}, shares = local_energies_of(setup.terms, s);
      const LongVector expected = exact.mean(rows);
      update(mean, largest_difference(mean_of(model, s, {}), expected) / static_cast<double>(expected.cwiseAbs().maxCoeff()));
      const double variance = covariance.total_energy(environments.view(), s.size()).total();
      update(total, static_cast<double>(std::abs(variance - exact.variance(energy)[0]) / prior_variance(setup.terms, energy)[0]));
      const std::vector<Variance> local = covariance.local_energies(environments.view(), s.size());
      const LongVector local_variance = exact.variance(shares), prior = prior_variance(setup.terms, shares);
      for (std::size_t i = 0; i < local.size(); ++i) {
        const auto k = static_cast<Eigen::Index>(i);
        update(local_worst, static_cast<double>(std::abs(local[i].total() - local_variance[k]) / prior[k]));
      }
    }
    MESSAGE("mean ", mean, ", total ", total, ", local ", local_worst);
    CHECK(mean <= 1e-6);
    CHECK(total <= 1e-6);
    CHECK(local_worst <= 1e-6);
  }
}

TEST_CASE("a fitted structure is known better than a new one, and both no worse than the prior") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    const Model model = model_of(setup);
    Covariance covariance(model);
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, model.cutoff());
      const double prior = covariance.prior_total_energy(environments.view());
      const Variance v = covariance.total_energy(environments.view(), s.size());
      REQUIRE(prior > 0);
      CHECK(v.total() <= prior);
      CHECK(v.novelty >= 0);
      CHECK(v.data >= 0);
    }
    for (const Structure& s : setup.train) {
      // The data part, by which an observed energy is undetermined, is below its noise: 1/(1/q + 1/σ²).
      const StructureEnvironments environments(s, model.cutoff());
      const double noise = std::pow(setup.options.regularization.standard.energy, 2) * s.size();
      CHECK(covariance.total_energy(environments.view(), s.size()).data <= noise);
      CHECK(covariance.total_energy(environments.view(), s.size()).total() < 0.5 * covariance.prior_total_energy(environments.view()));
    }
  }
}

TEST_CASE("variances of a model with hardly any jitter and dependent sparse points stay numbers") {
  Setup setup;
  setup.options.regularization.standard = {0.001, 0.01, 0.02};
  setup.train = random_structures(4, 4, 81, silicon);
  setup.jitter = 1e-13;
  add_terms(setup.terms, small_two_body(1.0, 0), silicon, setup.train, 12);
  add_terms(setup.terms, small_soap(2, 1, 2, 0), silicon, setup.train, 16);
  const Model model = model_of(setup);
  Covariance covariance(model);
  for (const Structure& s : setup.train) {
    const StructureEnvironments environments(s, model.cutoff());
    const Variance total = covariance.total_energy(environments.view(), s.size());
    CHECK(total.total() >= 0);
    CHECK(total.total() <= covariance.prior_total_energy(environments.view()));
    for (const Variance& v : covariance.local_energies(environments.view(), s.size())) CHECK(v.total() >= 0);
  }
}
