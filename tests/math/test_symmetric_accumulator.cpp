// Algebra on symmetric matrices in packed storage, for even and odd sizes.

#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <random>

#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

SymmetricAccumulator random_accumulator(Eigen::Index size, unsigned seed) {
  std::mt19937 random(seed);
  test::Normal normal;
  Matrix rows(size + 3, size);
  for (Eigen::Index i = 0; i < rows.size(); ++i) rows.data()[i] = normal(random);
  SymmetricAccumulator sum(size);
  sum.add_rows(rows);
  return sum;
}

}  // namespace

TEST_CASE("packed symmetric matrices: products, traces and triangles equal those of full matrices") {
  for (const Eigen::Index size : {1, 2, 3, 4, 5, 8, 17, 30}) {
    CAPTURE(size);
    const SymmetricAccumulator a = random_accumulator(size, 1), b = random_accumulator(size, 2);
    const Matrix full = a.dense(), other = b.dense();
    const double unit = full.cwiseAbs().maxCoeff();
    const Vector v = Vector::LinSpaced(size, -1, 2);
    CHECK(largest_difference(a.diagonal(), Vector(full.diagonal())) == 0);
    CHECK(largest_difference(a * v, Vector(full * v)) <= 1e-13 * unit * static_cast<double>(size));
    check_close(static_cast<double>(a.quadratic_form(v)), v.dot(full * v), 0, 1e-13);
    check_close(a.inner_product(b), full.cwiseProduct(other).sum(), 1e-12 * unit * unit, 1e-12);
    Matrix lower = Matrix::Constant(size, size, 7);
    a.copy_lower_to(lower);
    for (Eigen::Index i = 0; i < size; ++i)
      for (Eigen::Index j = 0; j < size; ++j) CHECK(lower(i, j) == (j <= i ? full(i, j) : 7));
    SymmetricAccumulator copy(size);
    copy.assign_lower(lower);
    CHECK(copy.packed() == a.packed());
    copy.add(b, -2);
    CHECK(largest_difference(copy.dense(), Matrix(full - 2 * other)) <= 1e-14 * unit * 10);
    copy.set_zero();
    CHECK(largest_entry(copy.dense()) == 0);
  }
}

TEST_CASE("the inverse from a Cholesky factor, lower triangle") {
  for (const Eigen::Index size : {1, 2, 5, 40}) {
    CAPTURE(size);
    Matrix a = random_accumulator(size, 3).dense();
    a.diagonal().array() += 1;
    const Matrix original = a;
    REQUIRE(cholesky(a));
    invert_from_cholesky(a);
    const Matrix inverse = Matrix(a.selfadjointView<Eigen::Lower>());
    CHECK(largest_difference(inverse * original, Matrix::Identity(size, size)) <= 1e-10);
  }
  Matrix singular = Matrix::Zero(2, 2);
  CHECK_THROWS_AS(invert_from_cholesky(singular), NumericalError);
}
