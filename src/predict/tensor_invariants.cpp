// Standard deviations of tensors, and of numbers that do not depend on the orientation.

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {
namespace {

const Matrix& covariance_of(const TensorPrediction& tensor) {
  if (!tensor.covariance) throw Error("TensorPrediction: there is no covariance");
  return *tensor.covariance;
}

Matrix3 without_trace(const Matrix& values, Eigen::Index row) {
  Matrix3 t = Eigen::Map<const Matrix3>(values.row(row).data());
  const double third = t.trace() / 3;
  t.diagonal().array() -= third;
  return t;
}

/// √(gᵀCg) of a length with the unit gradient g, or √(trace) where the length is shorter.
double std_of_length(double length, double trace, double along) {
  const double bound = std::sqrt(std::max(trace, 0.0));
  return length < bound ? bound : std::sqrt(std::max(along, 0.0));
}

}  // namespace

Matrix TensorPrediction::std() const {
  const Eigen::Index c = covariance_size();
  Matrix result(covariance_of(*this).rows(), c);
  for (Eigen::Index k = 0; k < c; ++k) result.col(k) = covariance->col(k * (c + 1)).cwiseMax(0.0).cwiseSqrt();
  return result;
}

std::vector<std::string> TensorPrediction::invariant_names() const {
  if (keys.kind == "vector") return {"norm"};
  if (keys.kind == "symmetric") return {"isotropic", "anisotropic"};
  return {};
}

Matrix TensorPrediction::invariants() const {
  Matrix result(values.rows(), static_cast<Eigen::Index>(invariant_names().size()));
  for (Eigen::Index r = 0; r < values.rows(); ++r)
    if (keys.kind == "vector")
      result(r, 0) = values.row(r).norm();
    else if (keys.kind == "symmetric")
      result.row(r) << (values(r, 0) + values(r, 4) + values(r, 8)) / 3, without_trace(values, r).norm();
  return result;
}

Matrix TensorPrediction::invariants_std() const {
  const Matrix lengths = invariants();
  Matrix result(lengths.rows(), lengths.cols());
  const Eigen::Index size = covariance_size();
  for (Eigen::Index r = 0; r < lengths.rows() && lengths.cols() > 0; ++r) {
    const Eigen::Map<const Matrix> c(covariance_of(*this).row(r).data(), size, size);
    if (keys.kind == "vector") {
      const Vector v = values.row(r).transpose() / std::max(lengths(r, 0), 1e-300);
      result(r, 0) = std_of_length(lengths(r, 0), c.trace(), v.dot(c * v));
      continue;
    }
    const double isotropic = std::max(c.topLeftCorner(3, 3).sum(), 0.0) / 9;
    const Matrix3 rest = without_trace(values, r) / std::max(lengths(r, 1), 1e-300);
    Vector along(6);
    for (std::size_t k = 0; k < voigt_index.size(); ++k)
      along[static_cast<Eigen::Index>(k)] = (k < 3 ? 1 : 2) * rest(voigt_index[k][0], voigt_index[k][1]);
    const double trace = c.topLeftCorner(3, 3).trace() + 2 * c.bottomRightCorner(3, 3).trace() - 3 * isotropic;
    result.row(r) << std::sqrt(isotropic), std_of_length(lengths(r, 1), trace, along.dot(c * along));
  }
  return result;
}

}  // namespace gapkit
