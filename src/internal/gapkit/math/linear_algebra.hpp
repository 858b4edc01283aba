#pragma once

#include <gapkit/core/types.hpp>
#include <gapkit/math/symmetric_accumulator.hpp>

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
