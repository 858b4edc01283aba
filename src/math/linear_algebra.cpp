#include <omp.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <limits>

#include "math/require_shapes.hpp"

// Fortran interfaces of BLAS and LAPACK (column-major). A row-major matrix is the transpose of the column-major one in the same memory.
extern "C" {
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*, const double*, const int*, const double*,
            const int*, const double*, double*, const int*, std::size_t, std::size_t);
void dtrsm_(const char*, const char*, const char*, const char*, const int*, const int*, const double*, const double*, const int*, double*,
            const int*, std::size_t, std::size_t, std::size_t, std::size_t);
void dpotrf_(const char*, const int*, double*, const int*, int*, std::size_t);
void dpstrf_(const char*, const int*, double*, const int*, int*, int*, const double*, double*, int*, std::size_t);
void dsyevd_(const char*, const char*, const int*, double*, const int*, double*, double*, const int*, int*, const int*, int*, std::size_t,
             std::size_t);
void dsfrk_(const char*, const char*, const char*, const int*, const int*, const double*, const double*, const int*, const double*, double*,
            std::size_t, std::size_t, std::size_t);
void dtfttr_(const char*, const char*, const int*, const double*, double*, const int*, int*, std::size_t, std::size_t);
char* openblas_get_corename(void);
char* openblas_get_config(void);
}

namespace gapkit {
namespace {

int narrow(Eigen::Index n) {
  if (n > std::numeric_limits<int>::max()) throw InputError("a matrix dimension of " + std::to_string(n) + " is too large for BLAS");
  return static_cast<int>(n);
}

// BLAS needs leading dimensions of at least 1, also for empty matrices.
int leading(Eigen::Index stride) {
  return std::max(1, narrow(stride));
}

// op(a): a or its transpose.
struct Operand {
  const MatrixView& matrix;
  bool is_transposed;

  Eigen::Index rows() const { return is_transposed ? matrix.cols() : matrix.rows(); }
  Eigen::Index cols() const { return is_transposed ? matrix.rows() : matrix.cols(); }
  const char* letter() const { return is_transposed ? "T" : "N"; }
};

// c = α op(a) op(b) + β c for row-major matrices, computed as cᵀ = α op(b)ᵀ op(a)ᵀ + β cᵀ in column-major.
void gemm(const char* name, const Operand& a, const Operand& b, MatrixSlice& c, double alpha, double beta) {
  require_shapes(a.cols() == b.rows() && c.rows() == a.rows() && c.cols() == b.cols(), name);
  if (c.rows() == 0 || c.cols() == 0) return;
  if (a.cols() == 0) {
    if (beta == 0)
      c.setZero();
    else
      c *= beta;
    return;
  }
  const int m = narrow(c.cols()), n = narrow(c.rows()), k = narrow(a.cols());
  const int lda = leading(a.matrix.outerStride()), ldb = leading(b.matrix.outerStride()), ldc = leading(c.outerStride());
  dgemm_(b.letter(), a.letter(), &m, &n, &k, &alpha, b.matrix.data(), &ldb, a.matrix.data(), &lda, &beta, c.data(), &ldc, 1, 1);
}

}  // namespace

void multiply_nt(const MatrixView& a, const MatrixView& b, MatrixSlice c, double alpha, double beta) {
  gemm("multiply_nt", {a, false}, {b, true}, c, alpha, beta);
}

void multiply_nn(const MatrixView& a, const MatrixView& b, MatrixSlice c, double alpha, double beta) {
  gemm("multiply_nn", {a, false}, {b, false}, c, alpha, beta);
}

void multiply_tn(const MatrixView& a, const MatrixView& b, MatrixSlice c, double alpha, double beta) {
  gemm("multiply_tn", {a, true}, {b, false}, c, alpha, beta);
}

bool cholesky(Matrix& a) {
  require_shapes(a.rows() == a.cols(), "cholesky");
  const int n = narrow(a.rows());
  if (n == 0) return true;
  int info = 0;
  dpotrf_("U", &n, a.data(), &n, &info, 1);  // upper in column-major is lower in row-major
  if (info != 0 || !a.diagonal().allFinite()) return false;
  a.triangularView<Eigen::StrictlyUpper>().setZero();
  return true;
}

PivotedCholesky pivoted_cholesky(const Matrix& a, double tolerance) {
  require_shapes(a.rows() == a.cols(), "pivoted_cholesky");
  const int n = narrow(a.rows());
  PivotedCholesky result;
  if (n == 0) return result;
  if (!a.allFinite()) throw NumericalError("pivoted Cholesky of a matrix that is not finite");
  Matrix factor = a;
  std::vector<int> pivot(static_cast<std::size_t>(n));
  std::vector<double> work(2 * static_cast<std::size_t>(n));
  const double stop = tolerance * a.diagonal().maxCoeff();
  int rank = 0, info = 0;
  dpstrf_("U", &n, factor.data(), &n, pivot.data(), &rank, &stop, work.data(), &info, 1);
  if (info < 0) throw Error("dpstrf: argument " + std::to_string(-info) + " is wrong");
  for (int& p : pivot) p -= 1;  // Fortran counts from 1
  result.pivot_all = pivot;
  result.pivot.assign(pivot.begin(), pivot.begin() + rank);
  factor.triangularView<Eigen::StrictlyUpper>().setZero();
  result.lower = factor.leftCols(rank);
  return result;
}

void solve_lower_rows(const MatrixView& lower, MatrixSlice rows) {
  require_shapes(lower.rows() == lower.cols() && rows.cols() == lower.rows(), "solve_lower_rows");
  if (rows.rows() == 0 || rows.cols() == 0) return;
  // In column-major: the columns of rowsᵀ are solved with Uᵀ, and the memory of L holds U = Lᵀ.
  const int m = narrow(rows.cols()), n = narrow(rows.rows()), lda = leading(lower.outerStride()), ldb = leading(rows.outerStride());
  const double one = 1;
  dtrsm_("L", "U", "T", "N", &m, &n, &one, lower.data(), &lda, rows.data(), &ldb, 1, 1, 1, 1);
}

Vector solve_lower(const MatrixView& lower, Vector x) {
  require_shapes(lower.rows() == lower.cols() && x.size() == lower.rows(), "solve_lower");
  lower.triangularView<Eigen::Lower>().solveInPlace(x);
  return x;
}

Vector solve_lower_transposed(const MatrixView& lower, Vector x) {
  require_shapes(lower.rows() == lower.cols() && x.size() == lower.rows(), "solve_lower_transposed");
  lower.transpose().triangularView<Eigen::Upper>().solveInPlace(x);
  return x;
}

SymmetricEigen symmetric_eigen(Matrix a) {
  require_shapes(a.rows() == a.cols(), "symmetric_eigen");
  const int n = narrow(a.rows());
  SymmetricEigen result;
  result.values.resize(n);
  if (n == 0) return result;
  if (!a.allFinite()) throw NumericalError("eigenvalues of a matrix that is not finite");
  int info = 0, lwork = -1, liwork = -1, iwork_size = 0;
  double work_size = 0;
  dsyevd_("V", "U", &n, a.data(), &n, result.values.data(), &work_size, &lwork, &iwork_size, &liwork, &info, 1, 1);
  lwork = static_cast<int>(work_size);
  liwork = iwork_size;
  std::vector<double> work(static_cast<std::size_t>(lwork));
  std::vector<int> iwork(static_cast<std::size_t>(liwork));
  dsyevd_("V", "U", &n, a.data(), &n, result.values.data(), work.data(), &lwork, iwork.data(), &liwork, &info, 1, 1);
  if (info != 0) throw NumericalError("the eigenvalues of a symmetric matrix did not converge");
  result.vectors = std::move(a);  // columns in column-major are rows here
  return result;
}

SymmetricAccumulator::SymmetricAccumulator(Eigen::Index size)
    : size_(size), packed_(static_cast<std::size_t>(size * (size + 1) / 2), 0.0) {}

void SymmetricAccumulator::add_rows(const MatrixView& rows, double alpha) {
  require_shapes(rows.cols() == size_, "SymmetricAccumulator::add_rows");
  if (rows.rows() == 0 || size_ == 0) return;
  const int n = narrow(size_), k = narrow(rows.rows()), lda = leading(rows.outerStride());
  const double one = 1;
  dsfrk_("N", "L", "N", &n, &k, &alpha, rows.data(), &lda, &one, packed_.data(), 1, 1, 1);
}

void SymmetricAccumulator::operator+=(const SymmetricAccumulator& other) {
  require_shapes(size_ == other.size_, "SymmetricAccumulator +=");
  for (std::size_t i = 0; i < packed_.size(); ++i) packed_[i] += other.packed_[i];
}

Matrix SymmetricAccumulator::dense() const {
  const int n = narrow(size_);
  Matrix result = Matrix::Zero(size_, size_);
  if (n == 0) return result;
  int info = 0;
  dtfttr_("N", "L", &n, packed_.data(), result.data(), &n, &info, 1, 1);  // lower in column-major: upper here
  result.triangularView<Eigen::StrictlyLower>() = result.transpose().triangularView<Eigen::StrictlyLower>();
  return result;
}

void SymmetricAccumulator::add_lower_to(Matrix& target, double factor) const {
  require_shapes(target.rows() == size_ && target.cols() == size_, "SymmetricAccumulator::add_lower_to");
  const Matrix full = dense();
  target.triangularView<Eigen::Lower>() += factor * full;
}

std::string blas_description() {
  std::string config = openblas_get_config();
  const auto first = config.find(' ');
  const auto second = config.find(' ', first + 1);
  if (second != std::string::npos) config.resize(second);
  return config + ", core type " + openblas_get_corename() + ", " + std::to_string(thread_count()) +
         (thread_count() == 1 ? " thread" : " threads");
}

double measure_dgemm(double seconds) {
  constexpr Eigen::Index n = 1024;
  const Matrix a = Matrix::Constant(n, n, 0.5), b = Matrix::Constant(n, n, 0.25);
  Matrix c(n, n);
  multiply_nt(a, b, c);
  const Stopwatch stopwatch;
  double elapsed = 0, flop = 0;
  while (elapsed < seconds) {
    multiply_nt(a, b, c);
    flop += 2.0 * n * n * n;
    elapsed = stopwatch.seconds();
  }
  return flop / elapsed;
}

int thread_count() {
  return omp_get_max_threads();
}

int current_thread() {
  return omp_get_thread_num();
}

bool in_parallel_region() {
  return omp_in_parallel() != 0;
}

void set_thread_count(int threads) {
  omp_set_num_threads(threads);
}

}  // namespace gapkit
