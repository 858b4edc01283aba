#include <algorithm>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/packed_matrix.hpp>

#include "math/product_loops.hpp"
#include "math/require_shapes.hpp"

namespace gapkit {
namespace {

// Registers of the instruction set hold twice as many numbers in single precision.
template <class Real>
constexpr Eigen::Index numbers_in_double = sizeof(double) / sizeof(Real);

}  // namespace

template <class Real>
PackedMatrixOf<Real>::PackedMatrixOf(const View& b) : loops_(&product_loops()), rows_(b.rows()), cols_(b.cols()) {
  const Eigen::Index tile = loops_->tile * numbers_in_double<Real>, pack = loops_->pack * numbers_in_double<Real>;
  const Eigen::Index whole = (cols_ + pack - 1) / pack * pack;
  tiles_.assign(static_cast<std::size_t>(rows_ * whole), Real{});
  for (Eigen::Index n = 0; n < cols_; ++n) {
    const Eigen::Index first = n / tile * tile, width = std::min(tile, whole - first);
    for (Eigen::Index k = 0; k < rows_; ++k) tiles_[static_cast<std::size_t>(rows_ * first + k * width + n - first)] = b(k, n);
  }
}

template <class Real>
void PackedMatrixOf<Real>::multiply(const View& a, Eigen::Index first_column, Slice c) const {
  const Eigen::Index end = first_column + c.cols();
  require_shapes(
      a.cols() == rows_ && c.rows() == a.rows() && first_column % granule == 0 && (end == cols_ || (end < cols_ && end % granule == 0)),
      "PackedMatrix::multiply");
  constexpr Eigen::Index most_rows = 64;            // their part of a and c stays in the first levels of the cache
  constexpr double enough_for_threads = 1'000'000;  // multiplications
  const Eigen::Index rows = a.rows();
  const bool threads = !in_parallel_region() && static_cast<double>(rows) * static_cast<double>(rows_ * c.cols()) > enough_for_threads;
  const Eigen::Index workers = threads ? thread_count() : 1, block = std::clamp<Eigen::Index>((rows + workers - 1) / workers, 1, most_rows);
#pragma omp parallel for schedule(static) if (threads)
  for (Eigen::Index first = 0; first < rows; first += block) {
    const ProductRowsOf<Real> part{static_cast<int>(std::min(block, rows - first)),
                                   rows_,
                                   c.cols(),
                                   a.data() + first * a.outerStride(),
                                   a.outerStride(),
                                   tiles_.data() + rows_ * first_column,
                                   c.data() + first * c.outerStride(),
                                   c.outerStride()};
    if constexpr (std::is_same_v<Real, float>)
      loops_->multiply_single(part);
    else
      loops_->multiply(part);
  }
}

template class PackedMatrixOf<double>;
template class PackedMatrixOf<float>;

}  // namespace gapkit
