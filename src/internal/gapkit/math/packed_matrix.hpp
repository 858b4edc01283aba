#pragma once

#include <gapkit/core/reusable_matrix.hpp>

namespace gapkit {

struct ProductLoops;

/// A matrix b [k, n] of a few hundred rows and columns, kept in the order in which a product reads it. BLAS arranges b in every call, and
/// takes longer for products with some hundred rows.
class PackedMatrix {
 public:
  PackedMatrix();
  explicit PackedMatrix(const MatrixView& b);

  Eigen::Index rows() const { return rows_; }
  Eigen::Index cols() const { return cols_; }
  /// c = a b.   [m, k] → [m, n], 2mnk flop; in threads over rows unless called within a parallel region.
  void multiply(const MatrixView& a, MatrixSlice c) const;

 private:
  const ProductLoops* loops_;
  Eigen::Index rows_ = 0, cols_ = 0;
  AlignedVector<double> tiles_;
};

}  // namespace gapkit
