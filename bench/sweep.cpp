// Predictions with and without each error bar, over n_max, l_max, elements, sparse points and ζ: one SOAP term per element.

#include <gapkit/kernels/kernel.hpp>
#include <gapkit/predict/predictor.hpp>
#include <map>

#include "setup.hpp"

namespace {

using namespace gapkit;
using namespace gapkit::bench;

struct Size {
  std::int64_t n_max, l_max, elements, points, zeta;
  auto operator<=>(const Size&) const = default;
};

Structure mixture(int cells, std::int64_t elements, unsigned seed) {
  Structure s = silicon(cells, seed);
  for (std::size_t i = 0; i < s.atomic_numbers.size(); ++i)
    s.atomic_numbers[i] = 14 + static_cast<int>((7 * i / 3) % static_cast<std::size_t>(elements));
  return s;
}

std::shared_ptr<const Model> soap_model(const Size& size) {
  static std::map<Size, std::shared_ptr<const Model>> known;
  std::shared_ptr<const Model>& result = known[size];
  if (result) return result;
  auto m = std::make_shared<Model>();
  std::vector<int> elements;
  for (int e = 0; e < size.elements; ++e) {
    elements.push_back(14 + e);
    m->reference_energies[14 + e] = -1;
  }
  const auto share = static_cast<Eigen::Index>(size.points / size.elements);
  const Structure s = mixture(8, size.elements, 7);
  const StructureEnvironments environments(s, cutoff);
  const DescriptorKind& kind = descriptor_kind("soap");
  const KernelKind& kernel = kernel_kind("dot_product");
  const Parameters parameters = {{"cutoff", cutoff}, {"n_max", size.n_max}, {"l_max", size.l_max}};
  std::vector<double> jitter;
  for (const int z : elements) {
    Term term;
    term.name = term.descriptor_name = "soap";
    term.kernel_name = "dot_product";
    term.species = {z};
    term.elements = elements;
    term.descriptor = kind.make(complete_parameters(parameters, kind.parameters, "soap"), {z}, elements);
    term.kernel = kernel.make(complete_parameters({{"zeta", static_cast<double>(size.zeta)}}, kernel.parameters, "dot_product"));
    term.delta = 1;
    Features features;
    term.descriptor->compute(environments.view(), 0, environments.view().size(), Derivatives::none, features);
    term.sparse.x = features.x.view().topRows(share);
    term.sparse.cutoff = Vector::Ones(share);
    m->terms.push_back(std::move(term));
    jitter.push_back(1e-6);
  }
  m->factor = SparseFactor::of(m->terms, jitter);
  const Eigen::Index all = m->factor.size();
  m->weights = random_matrix(all, 1, 3);
  m->posterior.mean = random_matrix(all, 1, 4);
  m->posterior.factor = Matrix(random_matrix(all, all, 5).triangularView<Eigen::StrictlyLower>()) / std::sqrt(static_cast<double>(all));
  m->posterior.factor.diagonal().setConstant(3);
  m->posterior.scale.assign(m->terms.size(), 1.0);
  m->posterior.groups = {{.property = Property::energy, .sigma = 0.002}};
  return result = m;
}

void sweep(benchmark::State& state, const PredictionRequest& request) {
  const Size size{state.range(0), state.range(1), state.range(2), state.range(3), state.range(4)};
  const Structure s = mixture(4, size.elements, 1);  // 512 atoms
  Predictor predictor(soap_model(size));
  predictor.compute(s, request);  // error bars factorise at the first call
  for (auto _ : state) {
    const Prediction p = predictor.compute(s, request);
    benchmark::DoNotOptimize(p.energy);
  }
  const double count = s.size() * static_cast<double>(state.iterations());
  state.counters["time/atom"] = benchmark::Counter(count, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n_max", "l_max", "elements", "M", "zeta"})->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const std::int64_t zeta : {2, 4}) b->Args({8, 3, 1, 1000, zeta})->Args({8, 8, 1, 1000, zeta});
  b->Args({12, 6, 1, 1000, 4})->Args({8, 8, 1, 500, 4})->Args({8, 8, 1, 2000, 4});
  b->Args({6, 4, 2, 1000, 4})->Args({6, 4, 4, 1000, 4});
}

void one_size(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n_max", "l_max", "elements", "M", "zeta"})->Args({8, 8, 1, 1000, 4})->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(sweep, energy, PredictionRequest{.forces = false})->Apply(sizes);
BENCHMARK_CAPTURE(sweep, forces, PredictionRequest{})->Apply(sizes);
BENCHMARK_CAPTURE(sweep, local_std, PredictionRequest{.local_std = true})->Apply(sizes);
BENCHMARK_CAPTURE(sweep, energy_std, PredictionRequest{.energy_std = true})->Apply(sizes);
BENCHMARK_CAPTURE(sweep, force_std, PredictionRequest{.force_std = true})->Apply(one_size);
BENCHMARK_CAPTURE(sweep, stress_std, PredictionRequest{.stress_std = true})->Apply(one_size);

}  // namespace
