#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

/// A symmetric n × n matrix that takes sums of outer products, in n(n+1)/2 doubles (rectangular full packed storage, so that
/// updates run as level-3 BLAS).
class SymmetricAccumulator {
 public:
  explicit SymmetricAccumulator(Eigen::Index size = 0);
  Eigen::Index size() const { return size_; }
  /// += α rowsᵀ rows.   rows [m, n]; m n² flop
  void add_rows(const MatrixView& rows, double alpha = 1);
  void operator+=(const SymmetricAccumulator& other);
  void set_zero();
  /// += factor × other
  void add(const SymmetricAccumulator& other, double factor);
  /// Takes the lower triangle of a square matrix.
  void assign_lower(const Matrix& full);
  /// The lower triangle goes to a square matrix, whose strict upper triangle is left as it is.
  void copy_lower_to(Matrix& full) const;
  Vector diagonal() const;
  /// G v; 2 n² flop
  Vector operator*(const Vector& v) const;
  /// vᵀ G v, products and sums in extended precision.
  long double quadratic_form(const Vector& v) const;
  /// tr(this · other) = Σ_ij of the products of their elements.
  double inner_product(const SymmetricAccumulator& other) const;
  /// Full symmetric matrix.
  Matrix dense() const;
  /// target += factor × this; only the lower triangle of the (square) target is touched.
  void add_lower_to(Matrix& target, double factor) const;
  const std::vector<double>& packed() const { return packed_; }
  std::vector<double>& packed() { return packed_; }

 private:
  Eigen::Index size_ = 0;
  std::vector<double> packed_;
};

}  // namespace gapkit
