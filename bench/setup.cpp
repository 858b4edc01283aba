#include "setup.hpp"

#include <cmath>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/random_stream.hpp>

namespace gapkit::bench {
namespace {

Term make_term(const std::string& descriptor, const Parameters& descriptor_parameters, const std::string& kernel,
               const Parameters& kernel_parameters, const std::vector<int>& species, double delta) {
  Term term;
  term.name = term.descriptor_name = descriptor;
  term.kernel_name = kernel;
  term.species = species;
  term.elements = {14};
  const DescriptorKind& kind = descriptor_kind(descriptor);
  term.descriptor = kind.make(complete_parameters(descriptor_parameters, kind.parameters, descriptor), species, term.elements);
  const KernelKind& kernel_of = kernel_kind(kernel);
  term.kernel = kernel_of.make(complete_parameters(kernel_parameters, kernel_of.parameters, kernel));
  term.delta = delta;
  return term;
}

}  // namespace

Structure silicon(int n, unsigned seed) {
  constexpr double a = 5.43, amplitude = 0.1;
  const double fractions[8][3] = {{0, 0, 0},          {0, 0.5, 0.5},      {0.5, 0, 0.5},      {0.5, 0.5, 0},
                                  {0.25, 0.25, 0.25}, {0.25, 0.75, 0.75}, {0.75, 0.25, 0.75}, {0.75, 0.75, 0.25}};
  RandomStream random{.seed = seed};
  Structure s;
  s.cell = Matrix3(a * n * Matrix3::Identity());
  s.pbc = {true, true, true};
  s.positions.resize(8 * n * n * n, 3);
  int atom = 0;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < n; ++k)
        for (const auto& f : fractions)
          s.positions.row(atom++) << a * (i + f[0]) + amplitude * random.normal(), a * (j + f[1]) + amplitude * random.normal(),
              a * (k + f[2]) + amplitude * random.normal();
  s.atomic_numbers.assign(static_cast<std::size_t>(atom), 14);
  return s;
}

std::shared_ptr<const Descriptor> soap() {
  const DescriptorKind& kind = descriptor_kind("soap");
  const Parameters parameters = {{"cutoff", cutoff},
                                 {"cutoff_width", cutoff_width},
                                 {"n_max", std::int64_t{n_max}},
                                 {"l_max", std::int64_t{l_max}},
                                 {"atom_sigma", atom_sigma}};
  return kind.make(complete_parameters(parameters, kind.parameters, "soap"), {14}, {14});
}

std::shared_ptr<const Model> model() {
  static const std::shared_ptr<const Model> made = [] {
    auto m = std::make_shared<Model>();
    m->reference_energies = {{14, -0.79}};
    Term pair = make_term("two_body", {{"cutoff", cutoff}, {"cutoff_width", cutoff_width}}, "squared_exponential", {{"length_scale", 1.0}},
                          {14, 14}, 2.0);
    pair.sparse.x.resize(pair_sparse, 1);
    pair.sparse.covariance_cutoff.resize(pair_sparse);
    for (int i = 0; i < pair_sparse; ++i) {
      const double r = 1.8 + (cutoff - 0.1 - 1.8) * i / (pair_sparse - 1.0);
      pair.sparse.x(i, 0) = r;
      pair.sparse.covariance_cutoff[i] = cutoff_value(r, cutoff, cutoff_width);
    }
    Term many = make_term("soap", soap()->parameters(), "dot_product", {{"zeta", 4.0}}, {14}, 0.5);
    const Structure s = silicon(4, 7);
    const StructureEnvironments environments(s, cutoff);
    Features features;
    many.descriptor->compute(environments.view(), 0, soap_sparse, Derivatives::none, features);
    many.sparse.x = features.x.view();
    many.sparse.covariance_cutoff = Vector::Ones(soap_sparse);
    m->terms = {std::move(pair), std::move(many)};
    m->factor = SparseFactor::of(m->terms, {4e-8, 0.25e-8});
    const Eigen::Index size = m->factor.size();
    m->weights = random_matrix(size, 1, 3);
    m->posterior.mean = random_matrix(size, 1, 4);
    m->posterior.factor =
        Matrix(random_matrix(size, size, 5).triangularView<Eigen::StrictlyLower>()) / std::sqrt(static_cast<double>(size));
    m->posterior.factor.diagonal().setConstant(3);
    m->posterior.delta_ratio = {1, 1};
    m->posterior.groups = {{.property = Property::energy, .sigma = 0.002}};
    return m;
  }();
  return made;
}

Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  RandomStream random{.seed = seed};
  Matrix m(rows, cols);
  for (Eigen::Index i = 0; i < m.size(); ++i) m.data()[i] = random.normal();
  return m;
}

void set_flop(benchmark::State& state, double flop) {
  state.counters["GFLOP"] = benchmark::Counter(flop * 1e-9 * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void set_rate(benchmark::State& state, const std::string& name, double per_iteration) {
  state.counters[name] = benchmark::Counter(per_iteration * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

}  // namespace gapkit::bench
