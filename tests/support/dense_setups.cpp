#include "support/dense_setups.hpp"

#include <algorithm>
#include <numeric>

#include "support/arcsine_kernel.hpp"
#include "support/distributions.hpp"

namespace gapkit::test {
namespace {

// Environments of a term in some structures, without near-copies.
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

}  // namespace

Matrix random_points(Eigen::Index count, Eigen::Index size, unsigned seed) {
  std::mt19937 random(seed);
  Normal normal;
  Matrix points(count, size);
  for (Eigen::Index i = 0; i < points.size(); ++i) points.data()[i] = normal(random);
  points.rowwise().normalize();
  return points;
}

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

std::vector<Structure> as_molecules(std::vector<Structure> structures) {
  for (Structure& s : structures) {
    s.cell.reset();
    s.pbc = {false, false, false};
    s.virial.reset();
    s = labelled(s);
  }
  return structures;
}

std::map<int, double> lone_atom_energies() {
  return {{6, lone_atom_energy(6)}, {14, lone_atom_energy(14)}};
}

Model model_of(const Setup& setup, const std::vector<double>& scale) {
  Model model;
  model.reference_energies = lone_atom_energies();
  model.terms = setup.terms;
  model.factor = SparseFactor::of(model.terms, std::vector<double>(model.terms.size(), setup.jitter));
  SufficientStatistics statistics;
  KernelRows kernel(model.terms);
  const SigmaOptions& sigma = setup.options.regularization.standard;
  for (const Property p : {Property::energy, Property::force, Property::virial}) {
    GroupStatistics g;
    g.group = {p, "default", false, sigma[p]};
    g.gram = SymmetricAccumulator(kernel.columns());
    g.moment = Vector::Zero(kernel.columns());
    statistics.groups.push_back(std::move(g));
  }
  for (const Structure& s : setup.train) {
    const Observables wanted{.energy = setup.options.use[Property::energy],
                             .forces = setup.options.use[Property::force],
                             .virial = setup.options.use[Property::virial] && s.virial};
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

void update(double& worst, double deviation) {
  worst = worse(worst, deviation);
}

Worst compare(const std::vector<Variance>& actual, const Expected& expected, double floor) {
  Worst worst;
  REQUIRE(static_cast<Eigen::Index>(actual.size()) == expected.prior.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const auto k = static_cast<Eigen::Index>(i);
    const long double unit = std::max<long double>(expected.prior[k], floor);
    if (unit == 0) continue;  // an atom without any environment
    CHECK(actual[i].novelty >= 0);
    CHECK(actual[i].data >= 0);
    update(worst.novelty, static_cast<double>(std::abs(actual[i].novelty - expected.novelty[k]) / unit));
    update(worst.data, static_cast<double>(std::abs(actual[i].data - expected.data[k]) / unit));
    update(worst.total, static_cast<double>(std::abs(actual[i].total() - expected.novelty[k] - expected.data[k]) / unit));
  }
  return worst;
}

namespace {

// A setup whose last structure is not in its training data.
Setup& add_setup(std::vector<Setup>& setups, const std::string& label, std::vector<Structure> structures) {
  Setup& s = setups.emplace_back();
  s.label = label;
  s.options.regularization.standard = {0.01, 0.1, 0.2};
  s.other = {structures.back()};
  structures.pop_back();
  s.train = std::move(structures);
  return s;
}

// Pairs and SOAP, each alone and both together.
void add_pair_and_soap_setups(std::vector<Setup>& setups) {
  {
    Setup& s = add_setup(setups, "soap, periodic", random_structures(4, 3, 11, silicon));
    add_terms(s.terms, small_soap(3, 2, 4, 0), silicon, s.train, 7);
  }
  {
    Setup& s = add_setup(setups, "soap with real zeta, periodic", random_structures(4, 2, 12, silicon));
    add_terms(s.terms, small_soap(2, 2, 2.5, 0), silicon, s.train, 5);
  }
  {
    Setup& s = add_setup(setups, "two_body, molecules", as_molecules(random_structures(4, 4, 21, silicon)));
    add_terms(s.terms, small_two_body(0.6, 0), silicon, s.train, 9);
  }
  {
    Setup& s = add_setup(setups, "two_body and soap, two species, periodic", random_structures(4, 4, 31, silicon_carbide));
    TermOptions pair = small_two_body(0.5, 0, 3.6), soap = small_soap(2, 2, 2, 0);
    pair.delta = 1.7;
    soap.delta = 0.4;
    add_terms(s.terms, pair, silicon_carbide, s.train, 6);
    add_terms(s.terms, soap, silicon_carbide, s.train, 5);
    REQUIRE(s.terms.size() == 5);
  }
  {
    Setup& s = add_setup(setups, "soap with squared_exponential, two species, molecules",
                         as_molecules(random_structures(4, 4, 41, silicon_carbide)));
    TermOptions soap = small_soap(2, 1, 1, 0, 4.0);
    soap.kernel = "squared_exponential";
    soap.kernel_parameters = {{"length_scale", 0.4}};
    add_terms(s.terms, soap, silicon_carbide, s.train, 6);
  }
  {
    Setup& s = add_setup(setups, "two_body with dot_product, periodic", random_structures(3, 2, 51, silicon));
    TermOptions pair = small_two_body(1, 0, 3.4);
    pair.kernel = "dot_product";
    pair.kernel_parameters = {{"zeta", 2.0}};
    add_terms(s.terms, pair, silicon, s.train, 1);
  }
}

// Triplets, and kernels with a finite range.
void add_triplet_and_polynomial_setups(std::vector<Setup>& setups) {
  {
    Setup& s = add_setup(setups, "three_body, molecules", as_molecules(random_structures(4, 4, 61, silicon)));
    add_terms(s.terms, small_three_body(1.5, 0, 4.0), silicon, s.train, 9);
  }
  {
    Setup& s =
        add_setup(setups, "two_body, three_body, two species, cells smaller than the cutoff", random_structures(3, 3, 71, silicon_carbide));
    add_terms(s.terms, small_two_body(0.8, 0, 3.4), silicon_carbide, s.train, 4);
    add_terms(s.terms, small_three_body(1.2, 0, 2.9), silicon_carbide, s.train, 4);
    REQUIRE(s.terms.size() >= 6);
  }
  {
    Setup& s = add_setup(setups, "two_body and three_body with piecewise_polynomial, periodic", random_structures(3, 2, 81, silicon));
    TermOptions pair = small_two_body(1, 0, 3.2), triplet = small_three_body(1, 0, 2.8);
    pair.kernel = triplet.kernel = "piecewise_polynomial";
    pair.kernel_parameters = {{"length_scale", 2.0}, {"smoothness", std::int64_t{2}}};
    triplet.kernel_parameters = {{"length_scale", std::vector<double>{4.0, 3.0, 3.5}}, {"smoothness", std::int64_t{2}}};
    add_terms(s.terms, pair, silicon, s.train, 5);
    add_terms(s.terms, triplet, silicon, s.train, 7);
    REQUIRE(s.terms.size() == 2);
  }
  {
    Setup& s = add_setup(setups, "two_body with piecewise_polynomial, periodic", random_structures(3, 2, 91, silicon));
    TermOptions pair = small_two_body(1, 0, 3.2);
    pair.kernel = "piecewise_polynomial";
    pair.kernel_parameters = {{"length_scale", 2.0}, {"smoothness", std::int64_t{1}}};
    add_terms(s.terms, pair, silicon, s.train, 5);
    s.once_differentiable = true;
  }
}

// A kernel whose gradient has a part along x: many features (SOAP with a metric, projections), few features with and without low-rank
// form.
void add_arcsine_setups(std::vector<Setup>& setups) {
  const auto take_arcsine = [](Term& term, std::vector<double> length_scale) {
    term.kernel_name = "arcsine";
    term.kernel = std::make_shared<ArcsineKernel>(std::move(length_scale));
  };
  {
    Setup& s = add_setup(setups, "soap with a kernel that has a part along x, two species", random_structures(4, 3, 101, silicon_carbide));
    add_terms(s.terms, small_soap(2, 2, 2, 0), silicon_carbide, s.train, 6);
    for (Term& term : s.terms) {
      std::vector<double> length_scale;
      for (int d = 0; d < term.descriptor->size(); ++d) length_scale.push_back(0.2 + 0.05 * (d % 5));
      take_arcsine(term, length_scale);
    }
  }
  {
    Setup& s =
        add_setup(setups, "two_body and three_body with a kernel that has a part along x, periodic", random_structures(3, 2, 111, silicon));
    add_terms(s.terms, small_two_body(1, 0, 3.4), silicon, s.train, 6);
    add_terms(s.terms, small_three_body(1.5, 0, 3.0), silicon, s.train, 9);
    take_arcsine(s.terms.at(0), {1.3});
    take_arcsine(s.terms.at(1), {2.0, 3.0, 2.5});
  }
  {
    Setup& s =
        add_setup(setups, "two_body with a kernel that has a part along x and no low-rank form", random_structures(3, 3, 121, silicon));
    add_terms(s.terms, small_two_body(1, 0, 3.4), silicon, s.train, 6);
    s.terms.at(0).kernel_name = "arcsine";
    s.terms.at(0).kernel = std::make_shared<ArcsineKernel>(std::vector{1.3}, false);
  }
}

// Networks: on unit vectors, and of few features, whose gradients have a part along x.
void add_network_setups(std::vector<Setup>& setups) {
  const auto with_network = [](TermOptions term, const char* activation, double delta) {
    term.kernel = "ntk";
    term.kernel_parameters = {{"activation", activation}};
    term.delta = delta;
    return term;
  };
  {
    Setup& s = add_setup(setups, "soap with ntk, two species", random_structures(4, 3, 131, silicon_carbide));
    add_terms(s.terms, with_network(small_soap(2, 2, 2, 0), "gelu", 0.5), silicon_carbide, s.train, 6);
  }
  {
    Setup& s = add_setup(setups, "two_body and three_body with ntk, periodic", random_structures(3, 2, 141, silicon));
    add_terms(s.terms, with_network(small_two_body(1, 0, 3.4), "gelu", 0.5), silicon, s.train, 5);
    add_terms(s.terms, with_network(small_three_body(1.5, 0, 3.0), "erf", 0.3), silicon, s.train, 7);
  }
}

}  // namespace

std::vector<Setup> general_setups() {
  std::vector<Setup> setups;
  add_pair_and_soap_setups(setups);
  add_triplet_and_polynomial_setups(setups);
  add_arcsine_setups(setups);
  add_network_setups(setups);
  return setups;
}

}  // namespace gapkit::test
