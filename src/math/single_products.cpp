#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/single_solve.hpp>
#include <limits>

#include "math/require_shapes.hpp"

extern "C" void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*, const float*, const int*, const float*,
                       const int*, const float*, float*, const int*, std::size_t, std::size_t);

extern "C" void strsm_(const char*, const char*, const char*, const char*, const int*, const int*, const float*, const float*, const int*,
                       float*, const int*, std::size_t, std::size_t, std::size_t, std::size_t);

namespace gapkit {
namespace {

int blas_size(Eigen::Index n) {
  if (n > std::numeric_limits<int>::max()) throw InputError("a matrix dimension of " + std::to_string(n) + " is too large for BLAS");
  return static_cast<int>(n);
}

}  // namespace

void multiply_nt(const SingleView& a, const SingleView& b, SingleSlice c) {
  require_shapes(a.cols() == b.cols() && c.rows() == a.rows() && c.cols() == b.rows(), "multiply_nt (single precision)");
  if (c.rows() == 0 || c.cols() == 0) return;
  if (a.cols() == 0) {
    c.setZero();
    return;
  }
  // cᵀ = b aᵀ in column-major order
  const int m = blas_size(c.cols()), n = blas_size(c.rows()), k = blas_size(a.cols());
  const int lda = std::max(1, blas_size(a.outerStride())), ldb = std::max(1, blas_size(b.outerStride())),
            ldc = std::max(1, blas_size(c.outerStride()));
  const float one = 1, zero = 0;
  sgemm_("T", "N", &m, &n, &k, &one, b.data(), &ldb, a.data(), &lda, &zero, c.data(), &ldc, 1, 1);
}

void solve_lower_rows(const SingleView& lower, SingleSlice rows) {
  require_shapes(lower.rows() == lower.cols() && rows.cols() == lower.rows(), "solve_lower_rows (single precision)");
  if (rows.rows() == 0 || rows.cols() == 0) return;
  // As in double precision: in column-major order the memory of L holds its transpose.
  const int m = blas_size(rows.cols()), n = blas_size(rows.rows()), lda = blas_size(lower.outerStride()),
            ldb = blas_size(rows.outerStride());
  const float one = 1;
  strsm_("L", "U", "T", "N", &m, &n, &one, lower.data(), &lda, rows.data(), &ldb, 1, 1, 1, 1);
}

}  // namespace gapkit
