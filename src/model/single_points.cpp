#include <Eigen/QR>
#include <algorithm>
#include <gapkit/math/linear_algebra.hpp>

#include "model/kernel_rows_scratch.hpp"

namespace gapkit {
namespace {

// Orthonormal columns whose span is nearly that of the leading right singular vectors, by subspace iteration from points of the set.
Matrix leading_columns(const Matrix& points) {
  constexpr int iterations = 4;
  const Eigen::Index count = std::min({Eigen::Index{leading_directions}, points.rows(), points.cols()});
  Matrix gram(points.cols(), points.cols()), basis(points.cols(), count);
  multiply_tn(points, points, gram);
  for (Eigen::Index d = 0; d < count; ++d) basis.col(d) = points.row(d * points.rows() / count).transpose();
  for (int i = 0; i < iterations; ++i) {
    const Eigen::HouseholderQR<Matrix> qr(gram * basis);
    basis = qr.householderQ() * Matrix::Identity(points.cols(), count);
  }
  Matrix result = Matrix::Zero(points.cols(), leading_directions);
  result.leftCols(count) = basis;
  return result;
}

}  // namespace

SinglePoints::SinglePoints(const Matrix& points) {
  // Of 250 points, single precision alone changes a bar by 0.04 % at most, of 1000 by 0.6 %.
  constexpr Eigen::Index few_points = 300;
  if (points.rows() <= few_points) {
    rest = PackedMatrixOf<float>(points.transpose().cast<float>());
    return;
  }
  const Matrix columns = leading_columns(points), products = points * columns;
  rest = PackedMatrixOf<float>((points - products * columns.transpose()).transpose().cast<float>());
  directions = columns.transpose();
  constexpr std::size_t beyond = 7;
  leading.resize(static_cast<std::size_t>(products.size()) + beyond);
  Eigen::Map<Matrix>(leading.data(), products.cols(), products.rows()) = products.transpose();
}

}  // namespace gapkit
