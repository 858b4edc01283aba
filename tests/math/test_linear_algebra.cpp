// Every function of the checked BLAS and LAPACK against plain loops: odd shapes, slices with a stride, empty matrices.

#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <limits>
#include <set>

#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Matrix random_matrix(Eigen::Index rows, Eigen::Index cols, std::mt19937_64& random) {
  test::Normal normal;
  Matrix m(rows, cols);
  for (Eigen::Index i = 0; i < m.size(); ++i) m.data()[i] = normal(random);
  return m;
}

/// A matrix in a frame of NaN: the slice has a stride, and writing outside of it is detected.
struct Framed {
  explicit Framed(const Matrix& inside)
      : whole(Matrix::Constant(inside.rows() + 3, inside.cols() + 5, not_a_number)), rows(inside.rows()), cols(inside.cols()) {
    slice() = inside;
  }
  MatrixSlice slice() { return whole.block(1, 2, rows, cols); }
  bool frame_is_untouched() const {
    for (Eigen::Index i = 0; i < whole.rows(); ++i)
      for (Eigen::Index j = 0; j < whole.cols(); ++j) {
        const bool inside = i >= 1 && i < 1 + rows && j >= 2 && j < 2 + cols;
        if (!inside && !std::isnan(whole(i, j))) return false;
      }
    return true;
  }
  Matrix whole;
  Eigen::Index rows, cols;
};

/// Plain loops: α a b + β c, the reference of the three products.
Matrix product(const Matrix& a, const Matrix& b, const Matrix& c, double alpha, double beta) {
  Matrix result = c;
  for (Eigen::Index i = 0; i < c.rows(); ++i)
    for (Eigen::Index j = 0; j < c.cols(); ++j) {
      double sum = 0;
      for (Eigen::Index k = 0; k < a.cols(); ++k) sum += a(i, k) * b(k, j);
      result(i, j) = alpha * sum + (beta == 0 ? 0.0 : beta * c(i, j));
    }
  return result;
}

/// Symmetric with eigenvalues at least `shift`; rank `rank` if shift = 0.
Matrix semidefinite(Eigen::Index n, Eigen::Index rank, double shift, std::mt19937_64& random) {
  const Matrix b = random_matrix(n, rank, random);
  Matrix a = Matrix::Zero(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) {
      for (Eigen::Index k = 0; k < rank; ++k) a(i, j) += b(i, k) * b(j, k);
      if (i == j) a(i, j) += shift;
    }
  return a;
}

Matrix lower_triangular(Eigen::Index n, std::mt19937_64& random) {
  Matrix l = random_matrix(n, n, random);
  for (Eigen::Index i = 0; i < n; ++i) {
    l(i, i) = 2 + std::abs(l(i, i)) + static_cast<double>(n) / 8;
    for (Eigen::Index j = i + 1; j < n; ++j) l(i, j) = 0;
  }
  return l;
}

}  // namespace

TEST_CASE("the three products equal plain loops, also on slices and for empty matrices") {
  std::mt19937_64 random(1);
  const int shapes[][3] = {{1, 1, 1},    {3, 5, 7}, {7, 1, 4}, {1, 9, 2}, {17, 33, 65},
                           {64, 64, 64}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {0, 0, 0}};
  const double factors[][2] = {{1, 0}, {-0.5, 0}, {2, 1}, {1.5, -0.25}, {0, 0.5}};
  for (const auto& shape : shapes)
    for (const auto& factor : factors) {
      const Eigen::Index m = shape[0], n = shape[1], k = shape[2];
      const double alpha = factor[0], beta = factor[1];
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      CAPTURE(alpha);
      CAPTURE(beta);
      const Matrix a = random_matrix(m, k, random), b = random_matrix(k, n, random);
      const Matrix at = a.transpose(), bt = b.transpose();
      // With β = 0 the old c must not matter, even if it is NaN.
      const Matrix c = beta == 0 ? Matrix(Matrix::Constant(m, n, not_a_number)) : random_matrix(m, n, random);
      const Matrix expected = product(a, b, c, alpha, beta);
      const double tolerance = 1e-14 * static_cast<double>(k + 1);
      Framed fa(a), fb(b), fat(at), fbt(bt), nn(c), nt(c), tn(c);
      multiply_nn(fa.slice(), fb.slice(), nn.slice(), alpha, beta);
      multiply_nt(fa.slice(), fbt.slice(), nt.slice(), alpha, beta);
      multiply_tn(fat.slice(), fb.slice(), tn.slice(), alpha, beta);
      for (Framed* result : {&nn, &nt, &tn}) {
        CHECK(largest_difference(result->slice(), expected) <= tolerance);
        CHECK(result->frame_is_untouched());
      }
    }
}

TEST_CASE("products refuse shapes that do not fit") {
  Matrix a = Matrix::Ones(3, 2), b = Matrix::Ones(3, 2), c = Matrix::Zero(3, 3), d = Matrix::Zero(3, 2);
  CHECK_THROWS_AS(multiply_nn(a, b, c), Error);
  CHECK_THROWS_AS(multiply_nt(a, b, d), Error);
  CHECK_THROWS_AS(multiply_tn(a, b, c), Error);
  CHECK_THROWS_AS(solve_lower_rows(a, c), Error);
  CHECK_THROWS_AS(solve_lower(c, Vector::Ones(2)), Error);
  CHECK_THROWS_AS(solve_lower_transposed(c, Vector::Ones(4)), Error);
  CHECK_THROWS_AS(cholesky(a), Error);
  CHECK_THROWS_AS(pivoted_cholesky(a, 1e-12), Error);
  CHECK_THROWS_AS(symmetric_eigen(a), Error);
  SymmetricAccumulator accumulator(3);
  CHECK_THROWS_AS(accumulator.add_rows(a), Error);
  CHECK_THROWS_AS(accumulator += SymmetricAccumulator(2), Error);
  CHECK_THROWS_AS(accumulator.add_lower_to(a, 1), Error);
}

TEST_CASE("Cholesky: L Lᵀ is the matrix, the upper triangle is neither read nor kept") {
  std::mt19937_64 random(2);
  for (const Eigen::Index n : {0, 1, 2, 5, 64, 131}) {
    CAPTURE(n);
    const Matrix a = semidefinite(n, n, 1, random);
    Matrix l = a;
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = i + 1; j < n; ++j) l(i, j) = not_a_number;
    REQUIRE(cholesky(l));
    Matrix product = Matrix::Zero(n, n);
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) {
        for (Eigen::Index k = 0; k < n; ++k) product(i, j) += l(i, k) * l(j, k);
        if (j > i) CHECK(l(i, j) == 0);
      }
    for (Eigen::Index i = 0; i < n; ++i) CHECK(l(i, i) > 0);
    CHECK(largest_difference(product, a) <= 1e-13 * static_cast<double>(n + 1) * (1 + (n > 0 ? a.cwiseAbs().maxCoeff() : 0)));
  }
}

TEST_CASE("Cholesky refuses matrices that are not positive definite, and NaN") {
  std::mt19937_64 random(3);
  Matrix a = semidefinite(20, 20, 1, random);
  a(13, 13) = -1;
  CHECK_FALSE(cholesky(a));
  Matrix zero = Matrix::Zero(1, 1);
  CHECK_FALSE(cholesky(zero));
  Matrix indefinite(2, 2);
  indefinite << 1, 2, 2, 1;
  CHECK_FALSE(cholesky(indefinite));
  for (const Eigen::Index n : {1, 5, 150})
    for (const Eigen::Index at : {Eigen::Index(0), n / 2, n - 1}) {
      CAPTURE(n);
      CAPTURE(at);
      Matrix diagonal = semidefinite(n, n, 1, random), below = diagonal, infinite = diagonal;
      diagonal(at, at) = not_a_number;
      CHECK_FALSE(cholesky(diagonal));
      below(n - 1, at) = not_a_number;
      CHECK_FALSE(cholesky(below));
      infinite(at, at) = std::numeric_limits<double>::infinity();
      CHECK_FALSE(cholesky(infinite));
    }
}

TEST_CASE("pivoted Cholesky finds the rank, different pivots, and a factor of the permuted matrix") {
  std::mt19937_64 random(4);
  const int cases[][2] = {{1, 1}, {2, 1}, {6, 6}, {40, 7}, {150, 90}, {130, 130}};
  for (const auto& [size, expected_rank] : cases) {
    const Eigen::Index n = size, rank = expected_rank;
    CAPTURE(n);
    CAPTURE(rank);
    const Matrix a = semidefinite(n, rank, 0, random);
    Matrix lower_only = a;
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = i + 1; j < n; ++j) CHECK(lower_only(i, j) == doctest::Approx(a(j, i)));
    const PivotedCholesky factor = pivoted_cholesky(a, 1e-12);
    REQUIRE(static_cast<Eigen::Index>(factor.pivot.size()) == rank);
    REQUIRE(static_cast<Eigen::Index>(factor.pivot_all.size()) == n);
    CHECK(std::set<int>(factor.pivot_all.begin(), factor.pivot_all.end()).size() == factor.pivot_all.size());
    CHECK(std::equal(factor.pivot.begin(), factor.pivot.end(), factor.pivot_all.begin()));
    REQUIRE(factor.lower.rows() == n);
    REQUIRE(factor.lower.cols() == rank);
    const double scale = a.diagonal().maxCoeff();
    CHECK(a(factor.pivot[0], factor.pivot[0]) == scale);
    double worst = 0;
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) {
        double sum = 0;
        for (Eigen::Index k = 0; k < rank; ++k) sum += factor.lower(i, k) * factor.lower(j, k);
        const auto pi = factor.pivot_all[static_cast<std::size_t>(i)], pj = factor.pivot_all[static_cast<std::size_t>(j)];
        const double difference = std::abs(sum - a(pi, pj));
        worst = worse(worst, difference);
      }
    CHECK(worst <= 1e-11 * scale);
    for (Eigen::Index k = 0; k < rank; ++k) {
      CHECK(factor.lower(k, k) > 0);
      for (Eigen::Index j = k + 1; j < rank; ++j) CHECK(factor.lower(k, j) == 0);
      // Largest remaining diagonal first
      if (k > 0) CHECK(factor.lower(k, k) <= factor.lower(k - 1, k - 1) * (1 + 1e-12));
    }
  }
}

TEST_CASE("pivoted Cholesky: tolerance, zero and empty matrices, NaN") {
  std::mt19937_64 random(5);
  Matrix a = Matrix::Zero(4, 4);
  a.diagonal() << 1e-3, 1, 1e-7, 0.1;
  const auto rank = [&](double tolerance) { return pivoted_cholesky(a, tolerance).pivot; };
  CHECK(rank(0) == std::vector<int>{1, 3, 0, 2});
  CHECK(rank(1e-6) == std::vector<int>{1, 3, 0});
  CHECK(rank(1e-2) == std::vector<int>{1, 3});
  CHECK(rank(0.5) == std::vector<int>{1});
  CHECK(pivoted_cholesky(Matrix(), 1e-12).pivot.empty());
  const PivotedCholesky zero = pivoted_cholesky(Matrix::Zero(3, 3), 1e-12);
  CHECK(zero.pivot.empty());
  CHECK(zero.lower.cols() == 0);
  a(2, 1) = not_a_number;
  CHECK_THROWS_AS(pivoted_cholesky(a, 1e-12), NumericalError);
}

TEST_CASE("triangular solves undo the product with L") {
  std::mt19937_64 random(6);
  for (const Eigen::Index n : {0, 1, 3, 40, 101})
    for (const Eigen::Index m : {0, 1, 7, 66}) {
      CAPTURE(n);
      CAPTURE(m);
      const Matrix l = lower_triangular(n, random), solution = random_matrix(m, n, random);
      Matrix rows = Matrix::Zero(m, n);  // row r = L · (row r of the solution)
      for (Eigen::Index r = 0; r < m; ++r)
        for (Eigen::Index i = 0; i < n; ++i)
          for (Eigen::Index j = 0; j <= i; ++j) rows(r, i) += l(i, j) * solution(r, j);
      Matrix with_upper = l;
      for (Eigen::Index i = 0; i < n; ++i)
        for (Eigen::Index j = i + 1; j < n; ++j) with_upper(i, j) = not_a_number;  // must not be read
      Framed framed_l(with_upper), framed_rows(rows);
      solve_lower_rows(framed_l.slice(), framed_rows.slice());
      CHECK(largest_difference(framed_rows.slice(), solution) <= 1e-12);
      CHECK(framed_rows.frame_is_untouched());
      for (Eigen::Index r = 0; r < m; ++r) {
        const Vector x = solution.row(r).transpose(), b = rows.row(r).transpose();
        CHECK(largest_difference(solve_lower(framed_l.slice(), b), x) <= 1e-12);
        Vector transposed = Vector::Zero(n);  // Lᵀ x
        for (Eigen::Index i = 0; i < n; ++i)
          for (Eigen::Index j = 0; j <= i; ++j) transposed[j] += l(i, j) * x[i];
        CHECK(largest_difference(solve_lower_transposed(framed_l.slice(), transposed), x) <= 1e-12);
      }
    }
}

TEST_CASE("symmetric eigenvalues: a v = λ v, orthonormal, ascending") {
  std::mt19937_64 random(7);
  for (const Eigen::Index n : {0, 1, 2, 9, 80}) {
    CAPTURE(n);
    Matrix a = random_matrix(n, n, random);
    a = (a + a.transpose()).eval();
    const SymmetricEigen eigen = symmetric_eigen(a);
    REQUIRE(eigen.values.size() == n);
    REQUIRE(eigen.vectors.rows() == n);
    double worst = 0;
    for (Eigen::Index k = 0; k < n; ++k) {
      if (k > 0) CHECK(eigen.values[k] >= eigen.values[k - 1]);
      for (Eigen::Index i = 0; i < n; ++i) {
        double av = 0, dot = 0;
        for (Eigen::Index j = 0; j < n; ++j) {
          av += a(i, j) * eigen.vectors(k, j);
          dot += eigen.vectors(i, j) * eigen.vectors(k, j);
        }
        for (const double d : {std::abs(av - eigen.values[k] * eigen.vectors(k, i)), std::abs(dot - (i == k ? 1 : 0))})
          worst = worse(worst, d);
      }
    }
    CHECK(worst <= 1e-12 * static_cast<double>(n + 1));
  }
  Matrix bad = Matrix::Identity(4, 4);
  bad(1, 0) = bad(0, 1) = not_a_number;
  CHECK_THROWS_AS(symmetric_eigen(bad), NumericalError);
}

TEST_CASE("the packed accumulator holds Σ α rowsᵀ rows, for even and odd sizes") {
  std::mt19937_64 random(8);
  for (const Eigen::Index n : {0, 1, 2, 3, 8, 9, 64, 65, 130}) {
    CAPTURE(n);
    SymmetricAccumulator first(n), second(n);
    CHECK(first.size() == n);
    CHECK(first.packed().size() == static_cast<std::size_t>(n * (n + 1) / 2));
    Matrix expected = Matrix::Zero(n, n);
    const auto add = [&](SymmetricAccumulator& target, Eigen::Index m, double alpha) {
      const Matrix rows = random_matrix(m, n, random);
      Framed framed(rows);
      target.add_rows(framed.slice(), alpha);
      for (Eigen::Index i = 0; i < n; ++i)
        for (Eigen::Index j = 0; j < n; ++j)
          for (Eigen::Index k = 0; k < m; ++k) expected(i, j) += alpha * rows(k, i) * rows(k, j);
    };
    add(first, 5, 1);
    add(first, 1, 0.25);
    add(first, 0, 3);
    add(first, 70, -0.5);
    CHECK(largest_difference(first.dense(), expected) <= 1e-12);
    add(second, 11, 2);
    first += second;
    const Matrix dense = first.dense();
    CHECK(largest_difference(dense, expected) <= 1e-12);
    CHECK(largest_difference(dense, dense.transpose()) == 0);

    const Matrix start = random_matrix(n, n, random);
    Matrix target = start;
    first.add_lower_to(target, 0.125);
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) {
        if (j > i)
          CHECK(target(i, j) == start(i, j));
        else
          check_close(target(i, j), start(i, j) + 0.125 * expected(i, j), 1e-12);
      }
  }
}

TEST_CASE("the number of threads can be set and the machine described") {
  const int before = thread_count();
  set_thread_count(1);
  CHECK(thread_count() == 1);
  CHECK(blas_description().find("1 thread") != std::string::npos);
  set_thread_count(2);
  CHECK(thread_count() == 2);
  CHECK(blas_description().find("2 threads") != std::string::npos);
  CHECK(current_thread() == 0);
  set_thread_count(before);
  CHECK(blas_description().starts_with("OpenBLAS"));
}
