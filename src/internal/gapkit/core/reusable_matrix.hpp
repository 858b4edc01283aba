#pragma once

#include <gapkit/core/types.hpp>
#include <new>

namespace gapkit {

/// Numbers that begin at a line of the cache: loads and stores of whole registers that cross lines take twice the time.
template <class Number>
struct CacheAligned {
  using value_type = Number;
  static constexpr std::align_val_t alignment{64};
  CacheAligned() = default;
  template <class Other>
  CacheAligned(const CacheAligned<Other>&) {}
  Number* allocate(std::size_t count) { return static_cast<Number*>(::operator new(count * sizeof(Number), alignment)); }
  void deallocate(Number* memory, std::size_t) { ::operator delete(memory, alignment); }
  bool operator==(const CacheAligned&) const { return true; }
};
template <class Number>
using AlignedVector = std::vector<Number, CacheAligned<Number>>;

/// A row-major matrix whose storage never shrinks: resizing in a loop over chunks allocates only for a new largest size.
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
  AlignedVector<double> storage_;
  Eigen::Index rows_ = 0, cols_ = 0;
};

}  // namespace gapkit
