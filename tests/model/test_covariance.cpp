// Posterior mean and variances against dense references in long double (methods.md, section 5). Tolerances are relative to k**.

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "support/dense_setups.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("kernel rows of energies, forces, virials and local energies equal plain sums over environments") {
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    KernelRows kernel(setup.terms);
    const std::vector<DenseFunctional> points = sparse_points_of(setup.terms);
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
    if (setup.once_differentiable) continue;
    CAPTURE(setup.label);
    const Structure& s = setup.train[0];
    const std::vector<DenseFunctional> rows = observables_of(setup.terms, s);
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
      const std::vector<DenseFunctional> rows = observables_of(setup.terms, s), energy = {rows[0]},
                                         shares = local_energies_of(setup.terms, s);
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
    const DenseSparseProcess dense(changed.terms, jitter, observations_of(setup.options, changed.terms, lone_atom_energies(), setup.train));
    Covariance covariance(model);
    check_close(model.posterior.log_evidence, static_cast<double>(dense.log_evidence()), 0, 1e-8);
    for (const Structure& s : all_of(setup)) {
      const StructureEnvironments environments(s, model.cutoff());
      const std::vector<DenseFunctional> rows = observables_of(changed.terms, s), energy = {rows[0]};
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
      setup.options.use[Property::force] = setup.options.use[Property::virial] = false;
      setup.options.regularization.standard[Property::energy] = 0.05;
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
        const std::vector<DenseFunctional> energy = observables_of(setup.terms, s, {true, false, false});
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
      const std::vector<DenseFunctional> rows = observables_of(setup.terms, s), energy = {rows[0]},
                                         shares = local_energies_of(setup.terms, s);
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
      const double noise = std::pow(setup.options.regularization.standard[Property::energy], 2) * s.size();
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
