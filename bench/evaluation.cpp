// The parts of an evaluation: neighbours, descriptor, pullback, in double and in single precision; map and kernel; all together.

#include <gapkit/core/kept_neighbors.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/packed_matrix.hpp>

#include "setup.hpp"

namespace {

using namespace gapkit;
using namespace gapkit::bench;

// 512 atoms with SOAP of the size (n_max, l_max) in the short form that predictions use.
struct EvaluationSetup {
  Structure structure = silicon(4);
  std::shared_ptr<const Descriptor> descriptor;
  StructureEnvironments environments{structure, cutoff};
  Features features;

  explicit EvaluationSetup(const benchmark::State& state) {
    const DescriptorKind& kind = descriptor_kind("soap");
    const Parameters size = {{"cutoff", cutoff},
                             {"cutoff_width", cutoff_width},
                             {"atom_sigma", atom_sigma},
                             {"n_max", state.range(0)},
                             {"l_max", state.range(1)}};
    descriptor = kind.make(complete_parameters(size, kind.parameters, "soap"), {14}, {14})->short_form().descriptor;
    features.single_precision = state.range(2) != 0;
  }
  void compute(Derivatives derivatives) {
    descriptor->compute(environments.view(), 0, structure.size(), derivatives, features);
    benchmark::DoNotOptimize(features.x.row(0));
  }
  void set_time_per_atom(benchmark::State& state) const {
    state.counters["per atom"] = benchmark::Counter(
        structure.size(), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert, benchmark::Counter::kIs1000);
  }
};

void descriptor(benchmark::State& state) {
  EvaluationSetup s(state);
  for (auto _ : state) s.compute(Derivatives::pullback);
  s.set_time_per_atom(state);
}

void pullback(benchmark::State& state) {
  EvaluationSetup s(state);
  s.compute(Derivatives::pullback);
  const Matrix dE_dx = random_matrix(s.features.size(), s.descriptor->size());
  const std::vector<double> dE_df(static_cast<std::size_t>(s.features.size()), 0.0);
  std::vector<Vector3> dE_dr(s.environments.view().neighbor.size(), Vector3::Zero());
  for (auto _ : state) {
    s.descriptor->pullback(s.environments.view(), 0, s.structure.size(), s.features, {dE_dx, dE_df}, dE_dr);
    benchmark::DoNotOptimize(dE_dr.data());
  }
  s.set_time_per_atom(state);
}

void soap_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n_max", "l_max", "single"})->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const auto& [n, l] : {std::pair(8, 8), std::pair(6, 6), std::pair(8, 4)})
    for (const int single : {0, 1}) b->Args({n, l, single});
}
BENCHMARK(descriptor)->Apply(soap_sizes);
BENCHMARK(pullback)->Apply(soap_sizes);

constexpr int mapped_rank = 64, mapped_points = 1000;

// A sum of ζ = 4 over points in the mapped features.
std::unique_ptr<LocalEnergy> mapped_sum(int points) {
  static const std::shared_ptr<const Kernel> kernel = [] {
    const KernelKind& kind = kernel_kind("polynomial");
    return kind.make(complete_parameters({}, kind.parameters, "polynomial"));
  }();
  return kernel->compile(Vector::Ones(points), random_matrix(points, mapped_rank), {});
}

void feature_map(benchmark::State& state) {  // of 512 environments with the argument's number of features
  const auto size = static_cast<Eigen::Index>(state.range(0));
  const Matrix x = random_matrix(512, size);
  const PackedMatrix map(random_matrix(size, mapped_rank));
  Matrix y(512, mapped_rank);
  for (auto _ : state) {
    map.multiply(x, y);
    benchmark::DoNotOptimize(y.data());
  }
  set_flop(state, 2.0 * 512 * static_cast<double>(size) * mapped_rank);
}
BENCHMARK(feature_map)->Arg(180)->Arg(260)->UseRealTime()->Unit(benchmark::kMicrosecond);

void kernel_sum(benchmark::State& state) {  // value and gradient of 512 environments
  const int points = static_cast<int>(state.range(0));
  const auto sum = mapped_sum(points);
  const Matrix y = random_matrix(512, mapped_rank);
  Matrix gradient(512, mapped_rank);
  MatrixSlice view = gradient;
  std::vector<double> energy(512);
  for (auto _ : state) {
    sum->compute(y, energy, &view);
    benchmark::DoNotOptimize(gradient.data());
  }
  set_flop(state, 4.0 * 512 * points * mapped_rank);
}
BENCHMARK(kernel_sum)->Arg(1000)->Arg(4000)->UseRealTime()->Unit(benchmark::kMicrosecond);

// A step of molecular dynamics with one term: kept neighbours, mapped features, kernel, derivatives by all pairs.
void mapped_term(benchmark::State& state) {
  EvaluationSetup s(state);
  FeatureMap map{"pca", random_matrix(s.descriptor->size(), mapped_rank), Vector::Zero(s.descriptor->size())};
  s.descriptor = mapped_descriptor(s.descriptor, std::move(map));
  const auto sum = mapped_sum(mapped_points);
  KeptNeighbors kept;
  Matrix gradient(s.structure.size(), mapped_rank);
  MatrixSlice view = gradient;
  std::vector<double> energy(static_cast<std::size_t>(s.structure.size()));
  std::vector<Vector3> dE_dr;
  for (auto _ : state) {
    const Environments& environments = kept.update(s.structure, cutoff, KeptNeighbors::usual_skin);
    s.descriptor->compute(environments, 0, s.structure.size(), Derivatives::pullback, s.features);
    sum->compute(s.features.x.view(), energy, &view);
    dE_dr.assign(environments.neighbor.size(), Vector3::Zero());
    s.descriptor->pullback(environments, 0, s.structure.size(), s.features, {gradient, energy}, dE_dr);
    benchmark::DoNotOptimize(dE_dr.data());
  }
  s.set_time_per_atom(state);
}
BENCHMARK(mapped_term)->Apply(soap_sizes);

void neighbors(benchmark::State& state) {  // the argument: kept from call to call, with the usual skin
  const Structure s = silicon(4);
  const bool is_kept = state.range(0) != 0;
  KeptNeighbors kept;
  for (auto _ : state)
    benchmark::DoNotOptimize(is_kept ? kept.update(s, cutoff, KeptNeighbors::usual_skin).neighbor.size()
                                     : NeighborList(s, cutoff).pair_count());
  state.counters["per atom"] = benchmark::Counter(s.size(), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert,
                                                  benchmark::Counter::kIs1000);
}
BENCHMARK(neighbors)->ArgName("kept")->Arg(0)->Arg(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
