// Derivatives of tensors by the positions (methods.md, section 10).

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/tensor_kernel.hpp>

namespace gapkit {
namespace {

constexpr Eigen::Index chunk_of_slopes = 64;  // atoms

/// s^(ζ−1) and its derivative; 0 where rounding makes the product of two features negative.
double power_of(double s, double zeta) {
  return zeta == 1 ? 1 : zeta == 2 ? s : std::pow(std::max(s, 0.0), zeta - 1);
}
double slope_of_power(double s, double zeta) {
  if (zeta == 1) return 0;
  if (zeta == 2) return 1;
  return s > 0 ? (zeta - 1) * std::pow(s, zeta - 2) : 0;
}

std::span<const double> coefficients_at(const TensorEnvironments& of, Eigen::Index e) {
  return {of.coefficients.row(e).data(), static_cast<std::size_t>(of.coefficients.cols())};
}

/// Normalised features of one environment and their changes along rows of coefficients, relative to the scalar norm:
/// d(P/n) = dP/n − (P/n)(x·dp)/n.
struct ChangedFeatures {
  Matrix values, changes;  // [2λ+1, F], [R (2λ+1), F]
};

ChangedFeatures changed_features(const TensorSpectrum& spectrum, std::span<const double> c, const Matrix& dc, double inverse_norm) {
  const Eigen::Index n = spectrum.components();
  ChangedFeatures result{Matrix(n, spectrum.size()), Matrix(n * dc.rows(), spectrum.size())};
  spectrum.compute(c, inverse_norm, result.values);
#pragma omp parallel for schedule(static) if (dc.rows() > 3)
  for (Eigen::Index r = 0; r < dc.rows(); ++r)
    spectrum.differentiate(c, {dc.row(r).data(), static_cast<std::size_t>(dc.cols())}, inverse_norm, result.changes.middleRows(n * r, n));
  return result;
}

}  // namespace

void TensorKernel::prepare_derivative_rows(const std::vector<TensorTerm>& terms) {
  for (std::size_t t = 0; t < terms.size(); ++t) {
    Block& block = blocks_[t];
    const Matrix& points = terms[t].points;
    block.scalar_points.resize(points.rows(), block.scalar.size());
    for (Eigen::Index m = 0; m < points.rows(); ++m) {
      block.scalar.compute({points.row(m).data(), static_cast<std::size_t>(points.cols())}, 1, block.scalar_points.middleRows(m, 1));
      const double norm = block.scalar_points.row(m).norm();
      if (norm > 0) block.scalar_points.row(m) /= norm;
    }
  }
}

void TensorKernel::add_derivative_rows(std::size_t t, const Environments& neighbors, const TensorEnvironments& of, Eigen::Index e,
                                       double weight, Matrix& result) const {
  const Block& block = blocks_[t];
  const Eigen::Index n = components(), points = block.x.rows();
  const int centre = of.atom[static_cast<std::size_t>(e)];
  const ExpandedDensity::Jacobian jacobian = block.density->coefficient_jacobian(neighbors, centre);
  const Eigen::Index rows = jacobian.rows.rows();
  if (rows == 0) return;
  ChangedFeatures scalar = changed_features(block.scalar, coefficients_at(of, e), jacobian.rows, of.inverse_norm[e]),
                  tensor = changed_features(block.spectrum, coefficients_at(of, e), jacobian.rows, of.inverse_norm[e]);
  const Vector along = scalar.changes * scalar.values.transpose();
  scalar.changes -= along * scalar.values;
  for (Eigen::Index r = 0; r < rows; ++r) tensor.changes.middleRows(n * r, n) -= along[r] * tensor.values;
  Matrix s(1, points), ds(rows, points), k(n, n * points), dk(n * rows, n * points);
  multiply_nt(scalar.values, block.scalar_points, s);
  multiply_nt(scalar.changes, block.scalar_points, ds);
  multiply_nt(tensor.values, block.tensors, k);
  multiply_nt(tensor.changes, block.tensors, dk);
  Vector power(points), slope(points);
  for (Eigen::Index m = 0; m < points; ++m) {
    power[m] = weight * power_of(s(0, m), block.zeta);
    slope[m] = weight * slope_of_power(s(0, m), block.zeta);
  }
  for (Eigen::Index r = 0; r < rows; ++r) {
    const int neighbor = neighbors.neighbor[jacobian.pair[static_cast<std::size_t>(r / 3)]];
    for (Eigen::Index mu = 0; mu < n; ++mu) {
      double* plus = result.row((3 * neighbor + r % 3) * n + mu).data() + offsets_[t];
      double* minus = result.row((3 * centre + r % 3) * n + mu).data() + offsets_[t];
      const double *change = dk.row(n * r + mu).data(), *value = k.row(mu).data();
      for (Eigen::Index m = 0; m < points; ++m) {
        const double f = power[m], df = slope[m] * ds(r, m);
        for (Eigen::Index i = n * m; i < n * (m + 1); ++i) {
          const double d = f * change[i] + df * value[i];
          plus[i] += d;
          minus[i] -= d;
        }
      }
    }
  }
}

Matrix TensorKernel::derivative_rows(const Environments& neighbors, const std::vector<TensorEnvironments>& environments, int atoms) const {
  if (is_per_atom()) throw Error("TensorKernel: values of atoms have no rows of derivatives");
  for (const Block& block : blocks_)
    if (block.scalar_points.rows() != block.x.rows()) throw Error("TensorKernel: rows of derivatives were not prepared");
  Matrix result = Matrix::Zero(3 * components() * static_cast<Eigen::Index>(atoms), columns());
  for (std::size_t t = 0; t < blocks_.size(); ++t)
    for (Eigen::Index e = 0; e < environments[t].x.rows(); ++e)
      add_derivative_rows(t, neighbors, environments[t], e, blocks_[t].variance * row_weight(atoms), result);
  return result;
}

/// dt_μ/dc of environments, for each μ [end − begin, coefficients], without the weight of rows.
std::vector<Matrix> TensorKernel::coefficient_slopes(const Block& block, const TensorEnvironments& of, Eigen::Index begin,
                                                     Eigen::Index end) const {
  const Eigen::Index n = components(), count = end - begin, points = block.x.rows();
  const Matrix tensors = tensors_of(block, of.coefficients, of.inverse_norm, begin, end), x = of.x.middleRows(begin, count);
  Matrix s(count, points), power(count, points), along(count, block.spectrum.size());
  multiply_nt(x, block.x, s);
  for (Eigen::Index i = 0; i < s.size(); ++i) power.data()[i] = power_of(s.data()[i], block.zeta);
  multiply_nn(power, block.weighted, along, block.variance);
  // Through s: Σ_m s^(ζ−2) (P̂_μ · w_m) x_m
  Matrix through_s = Matrix::Zero(n * count, block.x.cols());
  if (block.zeta != 1) {
    Matrix u(n * count, points);
    multiply_nt(tensors, block.weighted, u);
    for (Eigen::Index r = 0; r < u.rows(); ++r)
      for (Eigen::Index m = 0; m < points; ++m) u(r, m) *= block.variance * slope_of_power(s(r / n, m), block.zeta);
    multiply_nn(u, block.x, through_s);
  }
  const int size = block.spectrum.coefficient_count();
  std::vector<Matrix> result(static_cast<std::size_t>(n), Matrix::Zero(count, size));
#pragma omp parallel for schedule(dynamic, 2) if (count > 2)
  for (Eigen::Index e = 0; e < count; ++e) {
    const auto c = coefficients_at(of, begin + e);
    const double inverse_norm = of.inverse_norm[begin + e];
    Matrix slopes = Matrix::Zero(n, size);
    block.spectrum.pull_back(c, inverse_norm, {along.row(e).data(), static_cast<std::size_t>(along.cols())}, slopes);
    for (Eigen::Index mu = 0; mu < n; ++mu) {
      // dt = … + h·dx − t (x·dp)/n with dx = (dp − x (x·dp))/n
      const Vector h = through_s.row(n * e + mu);
      const double value = tensors.row(n * e + mu).dot(along.row(e));
      const Vector of_p = h - (h.dot(x.row(e)) + value) * x.row(e).transpose();
      block.density->pull_spectrum(c, inverse_norm, of_p.data(), {slopes.row(mu).data(), static_cast<std::size_t>(size)});
      result[static_cast<std::size_t>(mu)].row(e) = slopes.row(mu);
    }
  }
  return result;
}

Matrix TensorKernel::derivatives(const Environments& neighbors, const std::vector<TensorEnvironments>& environments, int atoms) const {
  if (is_per_atom()) throw Error("TensorKernel: values of atoms have no derivatives here");
  const Eigen::Index n = components();
  Matrix result = Matrix::Zero(3 * static_cast<Eigen::Index>(atoms), n);
  std::vector<std::vector<Vector3>> of_pairs(static_cast<std::size_t>(n), std::vector<Vector3>(neighbors.neighbor.size(), Vector3::Zero()));
  for (std::size_t t = 0; t < blocks_.size(); ++t) {
    const Block& block = blocks_[t];
    check_weights(block);
    const TensorEnvironments& of = environments[t];
    for (Eigen::Index begin = 0; begin < of.x.rows(); begin += chunk_of_slopes) {
      const Eigen::Index end = std::min(of.x.rows(), begin + chunk_of_slopes);
      const std::vector<Matrix> slopes = coefficient_slopes(block, of, begin, end);
      for (std::size_t mu = 0; mu < slopes.size(); ++mu)
        block.density->pull_coefficients(neighbors, of.atom[static_cast<std::size_t>(begin)],
                                         of.atom[static_cast<std::size_t>(end) - 1] + 1, slopes[mu], of_pairs[mu]);
    }
  }
  for (int centre = 0; centre < neighbors.size(); ++centre)
    for (std::size_t p = neighbors.begin[static_cast<std::size_t>(centre)]; p < neighbors.begin[static_cast<std::size_t>(centre) + 1]; ++p)
      for (Eigen::Index mu = 0; mu < n; ++mu) {
        const Vector3& slope = of_pairs[static_cast<std::size_t>(mu)][p];
        result.col(mu).segment<3>(3 * static_cast<Eigen::Index>(neighbors.neighbor[p])) += slope;
        result.col(mu).segment<3>(3 * static_cast<Eigen::Index>(centre)) -= slope;
      }
  return row_weight(atoms) * result;
}

}  // namespace gapkit
