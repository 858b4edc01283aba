#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

// Checked BLAS and LAPACK on row-major matrices. Everything dense and large goes through here; only this layer sees BLAS.
// Inside an OpenMP parallel region the calls run on one thread (OpenMP build of OpenBLAS); outside they use all.

/// c = α a bᵀ + β c.   [m,k] [n,k] → [m,n], 2mnk flop
void multiply_nt(const MatrixView& a, const MatrixView& b, MatrixSlice c, double alpha = 1, double beta = 0);
/// c = α a b + β c.    [m,k] [k,n] → [m,n], 2mnk flop
void multiply_nn(const MatrixView& a, const MatrixView& b, MatrixSlice c, double alpha = 1, double beta = 0);
/// c = α aᵀ b + β c.   [k,m] [k,n] → [m,n], 2mnk flop
void multiply_tn(const MatrixView& a, const MatrixView& b, MatrixSlice c, double alpha = 1, double beta = 0);

/// Lower Cholesky factor in place: a = L Lᵀ, the strict upper triangle is set to zero. Only the lower triangle is read.
/// Returns false (a undefined) if a is not positive definite. n³/3 flop
bool cholesky(Matrix& a);
/// a = L (lower Cholesky factor) becomes (L Lᵀ)⁻¹ in its lower triangle; the strict upper triangle is left undefined. 2n³/3 flop.
/// Throws NumericalError if the diagonal of L has a zero.
void invert_from_cholesky(Matrix& a);

/// Pivoted Cholesky factor of a positive semidefinite matrix: a(pivot, pivot) ≈ L Lᵀ for the leading `rank` pivots.
struct PivotedCholesky {
  std::vector<int> pivot;      ///< [rank] rows of a, in the order of their choice (largest remaining diagonal first)
  Matrix lower;                ///< [n, rank]; row i belongs to row pivot_all[i] of a, lower-trapezoidal
  std::vector<int> pivot_all;  ///< [n] the permutation; its first `rank` entries are `pivot`
};
/// Stops when the largest remaining diagonal is below tolerance × the largest diagonal of a.
PivotedCholesky pivoted_cholesky(const Matrix& a, double tolerance);

/// rows ← rows · L⁻ᵀ: each row k becomes L⁻¹ k. L lower, [n,n]; rows [m,n]; m n² flop
void solve_lower_rows(const MatrixView& lower, MatrixSlice rows);
/// L⁻¹ x and L⁻ᵀ x
Vector solve_lower(const MatrixView& lower, Vector x);
Vector solve_lower_transposed(const MatrixView& lower, Vector x);

/// Eigenvalues (ascending) and eigenvectors (rows of `vectors`) of a symmetric matrix. Throws NumericalError.
struct SymmetricEigen {
  Vector values;
  Matrix vectors;
};
SymmetricEigen symmetric_eigen(Matrix a);

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

/// What the log says about the machine: "OpenBLAS 0.3.21, core type Cooperlake, 2 threads".
std::string blas_description();
/// Speed of DGEMM (1024³) on all threads, flop per second, measured for about so long: the yardstick of everything else.
double measure_dgemm(double seconds);
/// Threads that a parallel region uses, and the number of the calling one in it (0 outside).
int thread_count();
int current_thread();
/// Whether the caller is in a parallel region, where nothing inside starts threads of its own.
bool in_parallel_region();
void set_thread_count(int threads);

}  // namespace gapkit
