// 30 symmetry functions of silicon, 6 radial and 24 wide angular, with 30 neighbours on average.

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>

#include "setup.hpp"

namespace {

using namespace gapkit;
using namespace gapkit::bench;

constexpr double symmetry_cutoff = 5.05;

struct SymmetrySetup {
  Structure structure = silicon(4);
  std::shared_ptr<const Descriptor> descriptor;
  StructureEnvironments environments{structure, symmetry_cutoff};
  Features features;

  explicit SymmetrySetup(const char* angular_kind) {
    std::string list;
    for (const char* eta : {"0.04", "0.1", "0.3", "0.8", "2", "6"}) list += std::string("G2 eta=") + eta + "\n";
    for (const char* lambda : {"1", "-1"})
      for (const char* zeta : {"1", "4", "16"})
        for (const char* eta : {"0.02", "0.04", "0.08", "0.2"})
          list += std::string(angular_kind) + " eta=" + eta + " lambda=" + lambda + " zeta=" + zeta + "\n";
    const DescriptorKind& kind = descriptor_kind("symmetry_functions");
    const Parameters given = {{"cutoff", symmetry_cutoff}, {"functions", list}};
    const auto unmade = kind.make(complete_parameters(given, kind.parameters, "bench"), {14}, {14});
    const ChosenFunctions* side = unmade->chosen_functions();
    FunctionSet set{side->candidates(2), {}};
    set.statistics = Matrix::Ones(static_cast<Eigen::Index>(set.functions.size()), 4);
    descriptor = side->with_functions(std::move(set));
  }
  void compute(Derivatives derivatives) {
    descriptor->compute(environments.view(), 0, structure.size(), derivatives, features);
    benchmark::DoNotOptimize(features.x.row(0));
  }
  void set_time_per_atom(benchmark::State& state) const {
    state.counters["per atom"] = benchmark::Counter(
        structure.size(), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert, benchmark::Counter::kIs1000);
    state.counters["neighbours"] = static_cast<double>(environments.view().neighbor.size()) / structure.size();
  }
};

void symmetry_functions(benchmark::State& state, const char* angular_kind, Derivatives derivatives) {
  SymmetrySetup s(angular_kind);
  for (auto _ : state) s.compute(derivatives);
  s.set_time_per_atom(state);
}

void symmetry_forces(benchmark::State& state, const char* angular_kind) {  // values and pullback, as in a prediction
  SymmetrySetup s(angular_kind);
  s.compute(Derivatives::pullback);
  const Matrix dE_dx = random_matrix(s.features.size(), s.descriptor->size());
  const std::vector<double> dE_df(static_cast<std::size_t>(s.features.size()), 0.0);
  std::vector<Vector3> dE_dr(s.environments.view().neighbor.size(), Vector3::Zero());
  for (auto _ : state) {
    s.compute(Derivatives::pullback);
    s.descriptor->pullback(s.environments.view(), 0, s.structure.size(), s.features, {dE_dx, dE_df}, dE_dr);
    benchmark::DoNotOptimize(dE_dr.data());
  }
  s.set_time_per_atom(state);
}

void usual(benchmark::internal::Benchmark* b) {
  b->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(symmetry_functions, values, "G5", Derivatives::none)->Apply(usual);
BENCHMARK_CAPTURE(symmetry_functions, jacobian, "G5", Derivatives::jacobian)->Apply(usual);
BENCHMARK_CAPTURE(symmetry_forces, pullback, "G5")->Apply(usual);
BENCHMARK_CAPTURE(symmetry_functions, narrow_values, "G4", Derivatives::none)->Apply(usual);
BENCHMARK_CAPTURE(symmetry_functions, narrow_jacobian, "G4", Derivatives::jacobian)->Apply(usual);
BENCHMARK_CAPTURE(symmetry_forces, narrow_pullback, "G4")->Apply(usual);

}  // namespace
