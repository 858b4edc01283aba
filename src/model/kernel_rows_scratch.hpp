#pragma once

#include <gapkit/math/packed_matrix.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/row_loops.hpp>

namespace gapkit {

/// Memory of a thread for the pairs of a tile.
template <class Real>
struct PairScratch {
  AlignedVector<Real> contraction;  // [3Q, width] of the Jacobian with Λ z
  AlignedVector<Real> jacobian;     // copy in single precision
  AlignedVector<double> leading;    // [3Q, leading_directions] of the Jacobian with those of the points
  AlignedVector<double> radial;     // radial directions of some environments · Λ z
  std::vector<RowPairOf<Real>> pairs;
};

/// Λz of all sparse points at the features of a block for products in single precision. Rounding errors grow with the points' size, and L⁻¹
/// enlarges them, so of many points, which lie closer to each other, a few leading directions are split off: Λz = (Λz V) Vᵀ + rest.
struct SinglePoints {
  explicit SinglePoints(const Matrix& points);
  PackedMatrixOf<float> rest;     // [C, M]
  Matrix directions;              // Vᵀ [leading_directions, C], filled up with zeros; empty: Vᵀ = 0
  AlignedVector<double> leading;  // (Λz V)ᵀ [leading_directions, M], and seven numbers
};

struct KernelRows::Scratch {
  Features features;
  ReusableMatrix value, slope, own_slope, inner;
  bool has_own_slope = false, is_projected = false;  // whether own_slope and inner are filled
  std::vector<std::vector<double>> own_contraction;  // per block: J · Λ x_e, if the gradient has a part along x
  std::vector<PairScratch<double>> in_double;        // per thread
  std::vector<PairScratch<float>> in_single;
  bool is_single = false;                                // use_single_precision()
  std::vector<std::vector<SinglePoints>> single_points;  // by term and block
  template <class Real>
  PairScratch<Real>& of_thread(std::size_t thread) {
    if constexpr (std::is_same_v<Real, float>)
      return in_single[thread];
    else
      return in_double[thread];
  }

  // For terms with few features (few_feature_rows.cpp)
  struct Pair {
    int centre, neighbor;  // atoms
    Vector3 vector;
  };
  std::vector<Pair> pairs;              // of the structure, in the chunk
  std::vector<int> slot_of, slot;       // index in `pairs` of each pair of the chunk's centres, and of each pair of the block
  std::vector<std::size_t> first_pair;  // of each environment, one more at the end
  std::vector<ReusableMatrix> tile_value, tile_slope, tile_own_slope, gradient;  // per thread

  void collect_pairs(const Environments& environments, int begin, int end);
};

/// Rows of one structure that terms are added to.
struct KernelRows::StructureRows {
  int atoms;
  Observables wanted;
  double* data;
  Eigen::Index stride;

  bool has_derivatives() const { return wanted.forces || wanted.virial; }
  // Three rows for each atom, six rows; null if they are not wanted.
  double* forces(Eigen::Index column) const { return wanted.forces ? data + wanted.forces_row() * stride + column : nullptr; }
  double* virial(Eigen::Index column) const { return wanted.virial ? data + wanted.virial_row(atoms) * stride + column : nullptr; }
};

/// Environments of a term with many features against some columns of its sparse points.
struct KernelRows::Tile {
  std::size_t term;
  const Features& features;
  Eigen::Index first, width;   // columns of the term
  std::size_t pairs_in_chunk;  // of the Jacobian in one product
};

/// Pairs begin … end − 1 of a block of the Jacobian.
struct KernelRows::PairRange {
  const Tile& tile;
  std::size_t block, begin, end;

  const JacobianBlock& jacobian() const { return tile.features.blocks[block]; }
  int first_environment() const { return jacobian().environment[begin]; }
};

/// Some environments of a term with few features against a tile of its sparse points.
struct KernelRows::EnvironmentBlock {
  std::size_t term;
  Eigen::Index from, length, width;  // environments from … from + length − 1, columns of the tile
  const double* points;              // Λz of the tile, one row per feature
  Eigen::Index points_stride;
  const Matrix& own_points;  // [E, D] Λx if the gradient has a part along x, else 0
  const ReusableMatrix &value, &slope, &own_slope;
};

}  // namespace gapkit
