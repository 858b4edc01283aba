#include "fit/leave_one_out.hpp"

#include <Eigen/QR>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

namespace gapkit {
namespace {

Vector squared_norms(const Matrix& rows) {
  return rows.rowwise().squaredNorm();
}

}  // namespace

Matrix directions_of_points(const SparseFactor& factor, const std::vector<Eigen::Index>& points) {
  Matrix result = Matrix::Zero(static_cast<Eigen::Index>(points.size()), factor.size());
  for (std::size_t k = 0; k < points.size(); ++k) {
    std::size_t t = 0;
    while (points[k] >= factor.offsets().at(t + 1)) ++t;
    const Matrix& block = factor.blocks()[t];
    Vector unit = Vector::Zero(block.rows());
    unit[points[k] - factor.offsets()[t]] = 1;
    result.row(static_cast<Eigen::Index>(k)).segment(factor.offsets()[t], block.rows()) = solve_lower(block, unit).transpose();
  }
  if (points.empty()) return result;
  const Eigen::MatrixXd columns = result.transpose();
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(columns);
  return (qr.householderQ() * Eigen::MatrixXd::Identity(columns.rows(), columns.cols())).transpose();
}

/// (1 − H)⁻¹ for the rows of one structure, H = X A⁻¹ Xᵀ.
class LeaveOneOut::Removal {
 public:
  /// `t`: X R_A⁻¹, [n, M]. False if a pivot is below the least one.
  bool prepare(const LeaveOneOut& all, const Matrix& x, const Matrix& t, double least_pivot) {
    if (x.rows() <= x.cols() && prepare_by_rows(t, least_pivot)) return true;
    return prepare_by_points(all, x, least_pivot);
  }

  /// Diagonal of H (1 − H)⁻¹.
  Vector data() const {
    if (inverse_.rows() > 0) return (inverse_.diagonal().array() - 1).max(0.0);
    return squared_norms(solved_);
  }
  /// H (1 − H)⁻¹
  Matrix covariance() const {
    if (inverse_.rows() > 0) return inverse_ - Matrix::Identity(inverse_.rows(), inverse_.rows());
    return solved_ * solved_.transpose();
  }
  /// (1 − H)⁻¹ q
  Matrix apply(const Matrix& q) const {
    Matrix result = q;
    if (inverse_.rows() > 0) {
      multiply_nn(inverse_, q, result);
    } else {
      Matrix projected(solved_.cols(), q.cols());
      multiply_tn(solved_, q, projected);
      multiply_nn(solved_, projected, result, 1, 1);
    }
    return result;
  }

 private:
  bool prepare_by_rows(const Matrix& t, double least_pivot) {
    Matrix rest = Matrix::Identity(t.rows(), t.rows());
    multiply_nt(t, t, rest, -1, 1);
    if (!cholesky(rest) || !(rest.diagonal().array().square().minCoeff() >= least_pivot)) return false;
    invert_from_cholesky(rest);
    inverse_ = rest.selfadjointView<Eigen::Lower>();
    return true;
  }

  // By A − XᵀX, whose Cholesky pivots are compared with those of A.
  bool prepare_by_points(const LeaveOneOut& all, const Matrix& x, double least_pivot) {
    inverse_.resize(0, 0);
    Matrix rest = all.precision();
    multiply_tn(x, x, rest, -1, 1);
    if (!cholesky(rest)) return false;
    const auto ratio = rest.diagonal().array() / all.posterior_.factor.diagonal().array();
    if (!(ratio.square().minCoeff() >= least_pivot)) return false;
    solved_ = x;
    solve_lower_rows(rest, solved_);
    return true;
  }

  Matrix inverse_;  // [n, n], or
  Matrix solved_;   // X R⁻¹ with A − XᵀX = RᵀR
};

const Matrix& LeaveOneOut::precision() const {
  std::call_once(once_, [&] {
    precision_.resize(posterior_.factor.rows(), posterior_.factor.rows());
    multiply_nt(posterior_.factor, posterior_.factor, precision_);
  });
  return precision_;
}

std::optional<LeftOutRows> LeaveOneOut::without(const WeightedRows& structure, double least_pivot) const {
  const Matrix& x = structure.rows;
  if (!x.allFinite() || !structure.target.allFinite() || !structure.others.allFinite())
    throw NumericalError("the rows of a structure that is left out hold NaN or infinity");
  Matrix t = x;
  solve_lower_rows(posterior_.factor, t);
  Removal removal;
  if (!removal.prepare(*this, x, t, least_pivot)) return std::nullopt;

  LeftOutRows result;
  const Vector residual = structure.target - x * posterior_.mean;
  result.error = removal.apply(residual);
  result.data = removal.data();
  if (structure.wants_covariances) {
    result.data_covariance = removal.covariance();
    result.own_covariance = Matrix::Zero(x.rows(), x.rows());
  }
  result.shift = solve_lower_transposed(posterior_.factor, t.transpose() * result.error);
  const auto wanted = static_cast<Eigen::Index>(structure.wanted_weights.size());
  Matrix chosen = Matrix::Zero(x.rows(), wanted);
  for (Eigen::Index k = 0; k < wanted; ++k) chosen(structure.wanted_weights[static_cast<std::size_t>(k)], k) = 1;
  result.weights.resize(wanted, x.cols());
  multiply_tn(removal.apply(chosen), x, result.weights);
  result.own = Vector::Zero(x.rows());
  // Other observables: V = |t|² + (Tᵀt)ᵀ(1 − H)⁻¹Tᵀt
  Matrix others = structure.others, with_rows(x.rows(), others.rows());
  if (others.rows() > 0) {
    solve_lower_rows(posterior_.factor, others);
    multiply_nt(t, others, with_rows);
    const Matrix removed = removal.apply(with_rows);
    result.data_of_others = squared_norms(others) + with_rows.cwiseProduct(removed).colwise().sum().transpose();
    result.others_along.resize(others.rows(), 0);
    with_rows = removed;
  }
  if (structure.own_points.empty()) return result;

  // The points' directions B are projected out: Y = R_A⁻ᵀB, W = (1 − H)⁻¹TᵀY, K = YᵀY + (TᵀY)ᵀW = C Cᵀ.
  const Matrix b = directions_of_points(factor_, structure.own_points);  // rows
  const Eigen::Index points = b.rows();
  Matrix y = b;
  solve_lower_rows(posterior_.factor, y);
  Matrix ty(x.rows(), points), k(points, points);
  multiply_nt(t, y, ty);
  const Matrix w = removal.apply(ty);
  multiply_nt(y, y, k);
  multiply_tn(ty, w, k, 1, 1);
  if (!cholesky(k)) return std::nullopt;
  Matrix wc = w;
  solve_lower_rows(k, wc);
  const Vector gap = b * posterior_.mean - ty.transpose() * result.error;
  result.error += wc * solve_lower(k, gap);
  result.data = (result.data - squared_norms(wc)).cwiseMax(0.0);
  Matrix along(x.rows(), points);
  multiply_nt(x, b, along);
  result.own = squared_norms(along);
  if (structure.wants_covariances) {
    result.data_covariance -= wc * wc.transpose();
    result.own_covariance = along * along.transpose();
  }
  if (others.rows() > 0) {  // w = Yᵀt + (TᵀY)ᵀ(1 − H)⁻¹Tᵀt
    Matrix of_others(others.rows(), points);
    multiply_nt(others, y, of_others);
    multiply_tn(with_rows, ty, of_others, 1, 1);
    solve_lower_rows(k, of_others);
    result.data_of_others = (result.data_of_others - squared_norms(of_others)).cwiseMax(0.0);
    result.others_along.resize(others.rows(), points);
    multiply_nt(structure.others, b, result.others_along);
  }
  if (wanted == 0) return result;
  Matrix moved = b;  // Bᵀ + (TᵀY)ᵀ(1 − H)⁻¹X
  multiply_tn(w, x, moved, 1, 1);
  Matrix factors(wanted, points);
  for (Eigen::Index i = 0; i < wanted; ++i)
    factors.row(i) = solve_lower_transposed(k, wc.row(structure.wanted_weights[static_cast<std::size_t>(i)]).transpose()).transpose();
  multiply_nn(factors, moved, result.weights, -1, 1);
  return result;
}

}  // namespace gapkit
