#pragma once

#include <gapkit/core/reusable_matrix.hpp>
#include <gapkit/math/single_products.hpp>

namespace gapkit {

struct ProductLoops;

/// A matrix b [k, n] of a few hundred rows, kept in the order in which a product reads it. BLAS arranges b in every call, and takes longer
/// for products with some hundred rows.
template <class Real>
class PackedMatrixOf {
 public:
  using View = Eigen::Ref<const MatrixOf<Real>, 0, Eigen::OuterStride<>>;
  using Slice = Eigen::Ref<MatrixOf<Real>, 0, Eigen::OuterStride<>>;

  /// Columns of b can be multiplied from multiples of this number on, for any instruction set.
  static constexpr Eigen::Index granule = 96;

  PackedMatrixOf() = default;
  explicit PackedMatrixOf(const View& b);

  Eigen::Index rows() const { return rows_; }
  Eigen::Index cols() const { return cols_; }
  /// c = a b.   [m, k] → [m, n], 2mnk flop; in threads over rows unless called within a parallel region.
  void multiply(const View& a, Slice c) const { multiply(a, 0, c); }
  /// The same for the columns first … first + c.cols() − 1 of b: `first` is a multiple of granule, and so is the end unless it is that of
  /// b.
  void multiply(const View& a, Eigen::Index first, Slice c) const;

 private:
  const ProductLoops* loops_ = nullptr;  // that the order is made for
  Eigen::Index rows_ = 0, cols_ = 0;
  AlignedVector<Real> tiles_;
};

using PackedMatrix = PackedMatrixOf<double>;

}  // namespace gapkit
