#include <algorithm>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/packed_matrix.hpp>

#include "math/product_loops.hpp"
#include "math/require_shapes.hpp"

namespace gapkit {

PackedMatrix::PackedMatrix() : loops_(&product_loops()) {}

PackedMatrix::PackedMatrix(const MatrixView& b) : loops_(&product_loops()), rows_(b.rows()), cols_(b.cols()) {
  const Eigen::Index tile = loops_->tile, pack = loops_->pack, whole = (cols_ + pack - 1) / pack * pack;
  tiles_.assign(static_cast<std::size_t>(rows_ * whole), 0.0);
  for (Eigen::Index n = 0; n < cols_; ++n) {
    const Eigen::Index first = n / tile * tile, width = std::min(tile, whole - first);
    for (Eigen::Index k = 0; k < rows_; ++k) tiles_[static_cast<std::size_t>(rows_ * first + k * width + n - first)] = b(k, n);
  }
}

void PackedMatrix::multiply(const MatrixView& a, MatrixSlice c) const {
  require_shapes(a.cols() == rows_ && c.rows() == a.rows() && c.cols() == cols_, "PackedMatrix::multiply");
  constexpr Eigen::Index most_rows = 64;            // their part of a and c stays in the first levels of the cache
  constexpr double enough_for_threads = 1'000'000;  // multiplications
  const Eigen::Index rows = a.rows();
  const bool threads = !in_parallel_region() && static_cast<double>(rows) * static_cast<double>(rows_ * cols_) > enough_for_threads;
  const Eigen::Index workers = threads ? thread_count() : 1, block = std::clamp<Eigen::Index>((rows + workers - 1) / workers, 1, most_rows);
#pragma omp parallel for schedule(static) if (threads)
  for (Eigen::Index first = 0; first < rows; first += block)
    loops_->multiply({static_cast<int>(std::min(block, rows - first)), rows_, cols_, a.data() + first * a.outerStride(), a.outerStride(),
                      tiles_.data(), c.data() + first * c.outerStride(), c.outerStride()});
}

}  // namespace gapkit
