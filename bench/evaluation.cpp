// The parts of an evaluation around the kernel: neighbours, descriptor, pullback; in double and in single precision.

#include <gapkit/core/kept_neighbors.hpp>

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

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n_max", "l_max", "single"})->UseRealTime()->Unit(benchmark::kMillisecond);
  for (const auto& [n, l] : {std::pair(8, 8), std::pair(6, 6), std::pair(8, 4)})
    for (const int single : {0, 1}) b->Args({n, l, single});
}
BENCHMARK(descriptor)->Apply(sizes);
BENCHMARK(pullback)->Apply(sizes);

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
