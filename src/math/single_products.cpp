#include <gapkit/core/errors.hpp>
#include <gapkit/math/single_products.hpp>
#include <limits>

#include "math/require_shapes.hpp"

extern "C" {
void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*, const float*, const int*, const float*, const int*,
            const float*, float*, const int*, std::size_t, std::size_t);
}

namespace gapkit {
namespace {

int size_of(Eigen::Index n) {
  if (n > std::numeric_limits<int>::max()) throw InputError("a matrix dimension of " + std::to_string(n) + " is too large for BLAS");
  return std::max(1, static_cast<int>(n));
}

}  // namespace

void SingleMatrix::assign(const MatrixView& values) {
  resize(values.rows(), values.cols());
  for (Eigen::Index i = 0; i < rows_; ++i) {
    const double* from = values.data() + i * values.outerStride();
    float* to = row(i);
    for (Eigen::Index j = 0; j < cols_; ++j) to[j] = static_cast<float>(from[j]);
  }
}

void multiply_nt(const SingleMatrix& a, Eigen::Index first_a, const SingleMatrix& b, Eigen::Index first_b, SingleMatrix& c) {
  require_shapes(a.cols() == b.cols() && first_a + c.rows() <= a.rows() && first_b + c.cols() <= b.rows(), "multiply_nt (single)");
  if (c.rows() == 0 || c.cols() == 0) return;
  // Row-major matrices are the transposes of the column-major ones of BLAS: cᵀ = b aᵀ.
  const int m = size_of(c.cols()), n = size_of(c.rows()), k = static_cast<int>(a.cols()), lda = size_of(a.cols()), ldb = size_of(b.cols()),
            ldc = size_of(c.cols());
  const float one = 1, zero = 0;
  sgemm_("T", "N", &m, &n, &k, &one, b.row(first_b), &ldb, a.row(first_a), &lda, &zero, c.row(0), &ldc, 1, 1);
}

}  // namespace gapkit
