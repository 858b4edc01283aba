// Each step of a fit and of a prediction alone, and DGEMM in the same run for comparison: fits and predictions consist of matrix
// products and should run at their speed.

#include <cmath>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/predict/predictor.hpp>

#include "descriptors/soap_loops.hpp"
#include "setup.hpp"

namespace {

using namespace gapkit;
using namespace gapkit::bench;

void dgemm(benchmark::State& state) {
  const auto n = static_cast<Eigen::Index>(state.range(0));
  const Matrix a = random_matrix(n, n, 1), b = random_matrix(n, n, 2);
  Matrix c(n, n);
  for (auto _ : state) {
    multiply_nt(a, b, c);
    benchmark::DoNotOptimize(c.data());
  }
  set_flop(state, 2 * std::pow(static_cast<double>(n), 3));
}
BENCHMARK(dgemm)->Arg(324)->Arg(1000)->Arg(2000)->UseRealTime()->Unit(benchmark::kMillisecond);

void neighbor_list(benchmark::State& state) {
  const Structure s = silicon(static_cast<int>(state.range(0)));
  std::size_t pairs = 0;
  for (auto _ : state) {
    const NeighborList list(s, cutoff);
    pairs = list.pair_count();
    benchmark::DoNotOptimize(pairs);
  }
  set_rate(state, "atoms", s.size());
  state.counters["neighbours"] = static_cast<double>(pairs) / s.size();
}
BENCHMARK(neighbor_list)->Arg(2)->Arg(4)->Arg(10)->UseRealTime()->Unit(benchmark::kMicrosecond);

void spherical_harmonics(benchmark::State& state) {  // eight directions at a time; the argument asks for gradients
  constexpr int terms = l_max + 1;
  double prefactor[terms * (terms + 1) / 2], x[soap_lanes], y[soap_lanes], z[soap_lanes];
  harmonics::fill_prefactors(l_max, prefactor, [](double v) { return std::sqrt(v); });
  for (int k = 0; k < soap_lanes; ++k) {
    z[k] = -0.9 + 0.25 * k;
    x[k] = std::sqrt(1 - z[k] * z[k]) * std::cos(k);
    y[k] = std::sqrt(1 - z[k] * z[k]) * std::sin(k);
  }
  std::vector<double> value(terms * terms * soap_lanes), gradient(3 * value.size());
  const SoapLoops& loops = soap_loops();
  for (auto _ : state) {
    loops.harmonics(l_max, prefactor, {x, y, z}, value.data(), state.range(0) ? gradient.data() : nullptr);
    benchmark::DoNotOptimize(value.data());
    benchmark::ClobberMemory();
  }
  set_rate(state, "pairs", soap_lanes);
}
BENCHMARK(spherical_harmonics)->ArgName("gradient")->Arg(0)->Arg(1);

// SOAP of 216 atoms. Counted operations: expansion 2 P n (l+1)² and power spectrum K(K+1)(l+1)² of each atom; for the Jacobian
// also 8 K (l+1)² + 27 D of each pair.
struct SoapSetup {
  Structure structure = silicon(3);
  std::shared_ptr<const Descriptor> descriptor = soap();
  StructureEnvironments environments{structure, cutoff};
  double atoms = structure.size(), pairs = static_cast<double>(environments.view().neighbor.size());
  double lm = (l_max + 1) * (l_max + 1), size = descriptor->size();

  double value_flop() const { return 2 * pairs * n_max * lm + atoms * n_max * (n_max + 1) * lm; }
  double jacobian_flop() const { return value_flop() + pairs * (8 * n_max * lm + 27 * size); }
};

void soap_compute(benchmark::State& state, Derivatives derivatives) {
  const SoapSetup s;
  Features features;
  for (auto _ : state) {
    s.descriptor->compute(s.environments.view(), 0, s.structure.size(), derivatives, features);
    benchmark::DoNotOptimize(features.x.row(0));
  }
  set_rate(state, "atoms", s.atoms);
  set_flop(state, derivatives == Derivatives::jacobian ? s.jacobian_flop() : s.value_flop());
}
BENCHMARK_CAPTURE(soap_compute, values, Derivatives::none)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(soap_compute, jacobian, Derivatives::jacobian)->UseRealTime()->Unit(benchmark::kMillisecond);

void soap_pullback(benchmark::State& state) {
  const SoapSetup s;
  const Environments& view = s.environments.view();
  Features features;
  s.descriptor->compute(view, 0, s.structure.size(), Derivatives::pullback, features);
  const Matrix dE_dx = random_matrix(features.size(), s.descriptor->size());
  const std::vector<double> dE_df(static_cast<std::size_t>(features.size()), 0.0);
  std::vector<Vector3> dE_dr(view.neighbor.size(), Vector3::Zero());
  for (auto _ : state) {
    s.descriptor->pullback(view, 0, s.structure.size(), features, {dE_dx, dE_df}, dE_dr);
    benchmark::DoNotOptimize(dE_dr.data());
  }
  set_rate(state, "atoms", s.atoms);
}
BENCHMARK(soap_pullback)->UseRealTime()->Unit(benchmark::kMillisecond);

void kernel_values(benchmark::State& state) {  // 216 environments against 500 sparse points, with slopes
  const SoapSetup s;
  const Term& term = model()->terms[1];
  Features features;
  s.descriptor->compute(s.environments.view(), 0, s.structure.size(), Derivatives::none, features);
  Matrix value(features.size(), soap_sparse), slope_values(features.size(), soap_sparse);
  for (auto _ : state) {
    MatrixSlice slope(slope_values);
    term.kernel->compute(features.x.view(), term.sparse.x, value, &slope);
    benchmark::DoNotOptimize(value.data());
  }
  set_flop(state, 2 * s.atoms * s.size * soap_sparse);
}
BENCHMARK(kernel_values)->UseRealTime()->Unit(benchmark::kMillisecond);

void kernel_rows(benchmark::State& state) {  // energy, forces, virial; 6 P D M flop of the Jacobian's contraction
  const Structure s = silicon(static_cast<int>(state.range(0)));
  const StructureEnvironments environments(s, cutoff);
  const std::span<const Term> terms(&model()->terms[1], 1);
  KernelRows rows(terms);
  const Observables wanted;
  Matrix k(wanted.rows(s.size()), rows.columns());
  for (auto _ : state) {
    rows.compute(environments.view(), s.size(), wanted, k);
    benchmark::DoNotOptimize(k.data());
  }
  set_rate(state, "atoms", s.size());
  set_flop(state, 6.0 * static_cast<double>(environments.view().neighbor.size()) * terms[0].descriptor->size() * soap_sparse);
}
BENCHMARK(kernel_rows)->Arg(1)->Arg(2)->Arg(3)->UseRealTime()->Unit(benchmark::kMillisecond);

void whitening(benchmark::State& state) {
  const auto rows = static_cast<Eigen::Index>(state.range(0)), size = static_cast<Eigen::Index>(state.range(1));
  Matrix k = random_matrix(size, size);
  k = (k * k.transpose()).eval();
  k.diagonal().array() += 1;
  const SparseFactor factor = [&] {
    cholesky(k);
    return SparseFactor({k}, {0.0});
  }();
  const Matrix start = random_matrix(rows, size, 2);
  Matrix work = start;
  for (auto _ : state) {
    state.PauseTiming();
    work = start;  // repeated solves would run into denormal numbers
    state.ResumeTiming();
    factor.whiten(work);
    benchmark::DoNotOptimize(work.data());
  }
  set_flop(state, static_cast<double>(rows * size * size));
}
BENCHMARK(whitening)->Args({655, 500})->Args({2000, 1000})->Args({2000, 2000})->UseRealTime()->Unit(benchmark::kMillisecond);

void gram_update(benchmark::State& state) {
  const auto rows = static_cast<Eigen::Index>(state.range(0)), size = static_cast<Eigen::Index>(state.range(1));
  const Matrix phi = random_matrix(rows, size);
  SymmetricAccumulator gram(size);
  for (auto _ : state) {
    gram.add_rows(phi, 1e-6);
    benchmark::DoNotOptimize(gram.packed().data());
  }
  set_flop(state, static_cast<double>(rows * size * size));
}
BENCHMARK(gram_update)->Args({655, 500})->Args({2000, 1000})->Args({2000, 2000})->UseRealTime()->Unit(benchmark::kMillisecond);

// A model of 20 pair points and 500 SOAP points; 2 M D flop for energies, 4 M D with forces, of each atom (matrix products only).
void predict(benchmark::State& state, const PredictionRequest& request) {
  const Structure s = silicon(static_cast<int>(state.range(0)));
  Predictor predictor(model());
  for (auto _ : state) {
    const Prediction p = predictor.compute(s, request);
    benchmark::DoNotOptimize(p.energy);
  }
  set_rate(state, "atoms", s.size());
  set_flop(state, (request.forces ? 4.0 : 2.0) * s.size() * soap_sparse * model()->terms[1].descriptor->size());
}
BENCHMARK_CAPTURE(predict, energy, PredictionRequest{.forces = false})->Arg(3)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(predict, forces, PredictionRequest{})->Arg(1)->Arg(3)->Arg(5)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(predict, energy_std, PredictionRequest{.energy_std = true})->Arg(3)->Arg(5)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(predict, local_std, PredictionRequest{.local_std = true})->Arg(3)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  benchmark::AddCustomContext("blas", gapkit::blas_description());
  benchmark::AddCustomContext("loops", gapkit::soap_loops().name);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
