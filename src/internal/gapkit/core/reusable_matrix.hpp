#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

/// A row-major matrix whose storage never shrinks: resizing inside a loop over chunks allocates only while sizes still grow.
/// Contents are undefined after resize().
class ReusableMatrix {
 public:
  using View = Eigen::Map<Matrix>;
  using ConstView = Eigen::Map<const Matrix>;

  void resize(Eigen::Index rows, Eigen::Index cols) {
    rows_ = rows;
    cols_ = cols;
    const auto needed = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
    if (storage_.size() < needed) storage_.resize(needed + needed / 4);
  }
  Eigen::Index rows() const { return rows_; }
  Eigen::Index cols() const { return cols_; }
  View view() { return View(storage_.data(), rows_, cols_); }
  ConstView view() const { return ConstView(storage_.data(), rows_, cols_); }
  double* row(Eigen::Index i) { return storage_.data() + i * cols_; }
  const double* row(Eigen::Index i) const { return storage_.data() + i * cols_; }
  double& operator()(Eigen::Index i, Eigen::Index j) { return storage_[static_cast<std::size_t>(i * cols_ + j)]; }
  double operator()(Eigen::Index i, Eigen::Index j) const { return storage_[static_cast<std::size_t>(i * cols_ + j)]; }

 private:
  std::vector<double> storage_;
  Eigen::Index rows_ = 0, cols_ = 0;
};

}  // namespace gapkit
