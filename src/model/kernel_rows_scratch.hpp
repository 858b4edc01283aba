#pragma once

#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/row_loops.hpp>

namespace gapkit {

struct KernelRows::Scratch {
  Features features;
  ReusableMatrix value, slope, own_slope, inner;
  std::vector<std::vector<double>> centre;      // per block: J · Λ x_e, if the gradient has a part along x
  std::vector<ReusableMatrix> contraction;      // per thread
  std::vector<ReusableMatrix> radial;           // per thread: radial directions of some environments · Λ z
  std::vector<std::vector<RowPair>> pair_rows;  // per thread

  // Of terms with few features (few_feature_rows.cpp)
  struct Pair {
    int centre, neighbor;  // atoms
    Vector3 vector;
  };
  std::vector<Pair> pairs;              // of the source that occur in the chunk
  std::vector<int> slot_of, slot;       // place in `pairs` of each pair of the chunk's centres, and of each pair of the block
  std::vector<std::size_t> first_pair;  // of each environment, one more at the end
  std::vector<ReusableMatrix> tile_value, tile_slope, tile_own_slope, gradient;  // per thread

  void collect_pairs(const Environments& environments, int begin, int end);
};

/// Some environments of a term with few features against a tile of its sparse points.
struct KernelRows::EnvironmentBlock {
  std::size_t term;
  Eigen::Index from, length, width;  // environments from … from + length − 1, columns of the tile
  const double* points;              // Λz of the tile, one row per feature
  Eigen::Index points_stride;
  const Matrix& centre;  // [E, D] Λx if the gradient has a part along x, else 0
  const ReusableMatrix &value, &slope, &own_slope;
};

}  // namespace gapkit
