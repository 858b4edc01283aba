#pragma once

#include <benchmark/benchmark.h>

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/model.hpp>

// Inputs of the benchmarks: perturbed diamond silicon, and a model of usual size with random weights (the speed does not depend on
// them).

namespace gapkit::bench {

inline constexpr int n_max = 8, l_max = 8, soap_sparse = 500, pair_sparse = 20;
inline constexpr double cutoff = 5.0, cutoff_width = 0.5, atom_sigma = 0.5;

/// n × n × n cubic cells of diamond (8 n³ atoms), displaced at random by about 0.1 Å.
Structure silicon(int n, unsigned seed = 1);

std::shared_ptr<const Descriptor> soap();

/// two_body (20 points) and SOAP (500 points), ζ = 4.
std::shared_ptr<const Model> model();

Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, unsigned seed = 1);

/// Rate "GFLOP" of a benchmark that does `flop` floating-point operations per iteration.
void set_flop(benchmark::State& state, double flop);
/// Rate `name` of a benchmark with `per_iteration` units per iteration.
void set_rate(benchmark::State& state, const std::string& name, double per_iteration);

}  // namespace gapkit::bench
