#include <gapkit/math/instruction_set.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/packed_matrix.hpp>
#include <gapkit/math/single_solve.hpp>
#include <limits>

#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Matrix random(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937_64 generator(seed);
  test::Normal normal(0, 1);
  Matrix result(rows, cols);
  for (Eigen::Index i = 0; i < result.size(); ++i) result.data()[i] = normal(generator);
  return result;
}

}  // namespace

TEST_CASE("packed matrix: products of all shapes equal BLAS, with every instruction set, and write nothing else") {
  const InstructionSet before = instruction_set();
  int compared = 0;
  for (const InstructionSet set : instruction_sets) {
    if (!has_instruction_set(set)) continue;
    use_instruction_set(set);
    for (const int k : {1, 3, 64, 261})
      for (const int n : {1, 2, 7, 8, 9, 16, 23, 24, 25, 64, 150}) {
        const Matrix b = random(k, n, 1);
        const PackedMatrix packed(b);
        for (const int m : {0, 1, 2, 3, 5, 8, 13, 64, 65, 200}) {
          CAPTURE(instruction_set_name(set));
          CAPTURE(k);
          CAPTURE(n);
          CAPTURE(m);
          const Matrix a = random(m + 2, k + 5, 2);  // a part of a larger matrix
          Matrix expected(m, n), actual = Matrix::Constant(m + 1, n + 3, 7.0);
          multiply_nn(a.block(1, 2, m, k), b, expected);
          packed.multiply(a.block(1, 2, m, k), actual.block(0, 1, m, n));
          CHECK(largest_difference(Matrix(actual.block(0, 1, m, n)), expected) <= 1e-13 * (1 + k));
          actual.block(0, 1, m, n).setConstant(7.0);
          CHECK((actual.array() == 7.0).all());
          ++compared;
        }
      }
  }
  CHECK(compared > 0);
  use_instruction_set(before);
}

TEST_CASE("packed matrix: parts of the columns, and single precision, with every instruction set") {
  const InstructionSet before = instruction_set();
  constexpr Eigen::Index granule = PackedMatrix::granule;
  int compared = 0;
  for (const InstructionSet set : instruction_sets) {
    if (!has_instruction_set(set)) continue;
    use_instruction_set(set);
    for (const int k : {1, 61})
      for (const Eigen::Index n : {Eigen::Index{1}, Eigen::Index{25}, granule - 1, granule, granule + 5, 2 * granule + 17}) {
        CAPTURE(instruction_set_name(set));
        CAPTURE(k);
        CAPTURE(n);
        const Matrix b = random(k, n, 1), a = random(67, k, 2), expected = a * b;
        const PackedMatrix packed(b);
        const PackedMatrixOf<float> single(b.cast<float>());
        const MatrixOf<float> a_single = a.cast<float>();
        for (Eigen::Index first = 0; first < n; first += granule) {
          const Eigen::Index width = std::min(granule, n - first);
          Matrix part(67, width);
          packed.multiply(a, first, part);
          CHECK(largest_difference(part, Matrix(expected.middleCols(first, width))) <= 1e-13 * (1 + k));
          MatrixOf<float> part_single = MatrixOf<float>::Constant(68, width + 2, 7.0F);
          single.multiply(a_single, first, part_single.block(1, 1, 67, width));
          CHECK(largest_difference(Matrix(part_single.block(1, 1, 67, width).cast<double>()), Matrix(expected.middleCols(first, width))) <=
                1e-6 * (1 + k));
          part_single.block(1, 1, 67, width).setConstant(7.0F);
          CHECK((part_single.array() == 7.0F).all());
          ++compared;
        }
      }
  }
  CHECK(compared > 0);
  use_instruction_set(before);
  const PackedMatrix packed(random(3, granule + 9, 1));
  const Matrix a = random(2, 3, 2);
  Matrix part(2, 9), wide(2, granule + 1);
  CHECK_NOTHROW(packed.multiply(a, granule, part));
  CHECK_THROWS(packed.multiply(a, 8, part));  // no multiple of the granule
  CHECK_THROWS(packed.multiply(a, 0, wide));  // ends within a tile
}

TEST_CASE("triangular solves of rows in single precision equal those in double precision") {
  Matrix lower = random(150, 150, 1);
  for (Eigen::Index i = 0; i < 150; ++i) {
    lower.row(i).tail(149 - i).setConstant(1e30);  // not read
    lower(i, i) = 20 + std::abs(lower(i, i));
  }
  Matrix rows = random(7, 150, 2);
  MatrixOf<float> single = rows.cast<float>();
  const MatrixOf<float> lower_single = lower.cast<float>();
  solve_lower_rows(lower_single, single);
  solve_lower_rows(lower, rows);
  CHECK(largest_difference(Matrix(single.cast<double>()), rows) <= 1e-6);
  MatrixOf<float> narrow(7, 149);
  CHECK_THROWS(solve_lower_rows(lower_single, narrow));
}

TEST_CASE("packed matrix: NaN stays in its row, and shapes that disagree are errors") {
  const Matrix b = random(5, 9, 1);
  const PackedMatrix packed(b);
  Matrix a = random(11, 5, 2), c(11, 9);
  a(3, 4) = std::numeric_limits<double>::quiet_NaN();
  packed.multiply(a, c);
  for (Eigen::Index i = 0; i < c.rows(); ++i) CHECK(c.row(i).allFinite() == (i != 3));
  Matrix narrow(11, 8);
  CHECK_THROWS(packed.multiply(a, narrow));
  CHECK_THROWS(packed.multiply(random(11, 4, 3), c));
}
