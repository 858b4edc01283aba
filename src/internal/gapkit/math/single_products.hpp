#pragma once

#include <gapkit/core/reusable_matrix.hpp>

namespace gapkit {

/// A row-major matrix in single precision whose storage never shrinks; contents are undefined after resize().
class SingleMatrix {
 public:
  SingleMatrix() = default;
  /// Rounded numbers of a matrix.
  explicit SingleMatrix(const MatrixView& values) { assign(values); }

  void resize(Eigen::Index rows, Eigen::Index cols) {
    rows_ = rows;
    cols_ = cols;
    const auto needed = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
    if (storage_.size() < needed) storage_.resize(needed + needed / 4);
  }
  void assign(const MatrixView& values);
  Eigen::Index rows() const { return rows_; }
  Eigen::Index cols() const { return cols_; }
  float* row(Eigen::Index i) { return storage_.data() + i * cols_; }
  const float* row(Eigen::Index i) const { return storage_.data() + i * cols_; }

 private:
  AlignedVector<float> storage_;
  Eigen::Index rows_ = 0, cols_ = 0;
};

/// c = a bᵀ of rows [first_a, first_a + c.rows()) of a and [first_b, first_b + c.cols()) of b; 2mnk flop.
void multiply_nt(const SingleMatrix& a, Eigen::Index first_a, const SingleMatrix& b, Eigen::Index first_b, SingleMatrix& c);

}  // namespace gapkit
