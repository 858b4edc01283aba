#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>
#include <gapkit/math/tensor_components.hpp>
#include <numbers>

namespace gapkit {
namespace {

struct QuadratureNode {
  double place = 0, weight = 0;
};

/// Gauss-Legendre nodes on −1 … 1.
std::vector<QuadratureNode> legendre_nodes(int count) {
  std::vector<QuadratureNode> nodes;
  for (int i = 0; i < count; ++i) {
    double z = std::cos(std::numbers::pi * (i + 0.75) / (count + 0.5)), slope = 0;
    for (int step = 0; step < 100; ++step) {
      double p = 1, before = 0;
      for (int n = 1; n <= count; ++n) {
        const double next = ((2 * n - 1) * z * p - (n - 1) * before) / n;
        before = p;
        p = next;
      }
      slope = count * (z * p - before) / (z * z - 1);
      const double change = p / slope;
      z -= change;
      if (std::abs(change) < 1e-16) break;
    }
    nodes.push_back({z, 2 / ((1 - z * z) * slope * slope)});
  }
  return nodes;
}

/// Y_lm [(l_max+1)²] of the unit vector.
Vector harmonics_at(int l_max, const Vector3& direction) {
  const int terms = l_max + 1;
  std::vector<double> prefactor(static_cast<std::size_t>(terms * (terms + 1) / 2));
  harmonics::fill_prefactors(l_max, prefactor.data(), [](double v) { return std::sqrt(v); });
  double x[harmonics::lanes], y[harmonics::lanes], z[harmonics::lanes];
  std::fill_n(x, harmonics::lanes, direction.x());
  std::fill_n(y, harmonics::lanes, direction.y());
  std::fill_n(z, harmonics::lanes, direction.z());
  std::vector<double> value(static_cast<std::size_t>(terms * terms * harmonics::lanes));
  harmonics::evaluate(l_max, prefactor.data(), {x, y, z}, value.data(), nullptr);
  Vector result(terms * terms);
  for (Eigen::Index i = 0; i < result.size(); ++i) result[i] = value[static_cast<std::size_t>(i * harmonics::lanes)];
  return result;
}

}  // namespace

Matrix unit_matrices(int lambda) {
  const double half = std::sqrt(0.5), third = 1 / std::sqrt(3.0), sixth = 1 / std::sqrt(6.0);
  if (lambda == 0) {
    Matrix one = Matrix::Zero(1, 9);
    one(0, 0) = one(0, 4) = one(0, 8) = third;
    return one;
  }
  if (lambda != 2) throw Error("unit_matrices: a symmetric matrix has components of 0 and 2 only");
  Matrix five = Matrix::Zero(5, 9);
  five(0, 1) = five(0, 3) = half;  // xy
  five(1, 5) = five(1, 7) = half;  // yz
  five(2, 0) = five(2, 4) = -sixth;
  five(2, 8) = 2 * sixth;
  five(3, 2) = five(3, 6) = half;  // xz
  five(4, 0) = half;
  five(4, 4) = -half;
  return five;
}

Matrix vector_map() {
  Matrix map = Matrix::Zero(3, 3);
  map(0, 1) = map(1, 2) = map(2, 0) = 1;
  return map;
}

Matrix spherical_map(const std::string& kind, int lambda) {
  return kind == "vector" ? vector_map() : kind == "symmetric" ? unit_matrices(lambda) : Matrix(Matrix::Identity(1, 1));
}

std::vector<Coupling> gaunt_couplings(int l1, int l2, int lambda) {
  if ((l1 + l2 + lambda) % 2 != 0 || lambda < std::abs(l1 - l2) || lambda > l1 + l2)
    throw Error("gaunt_couplings: the integral is zero by symmetry");
  const int degree = l1 + l2 + lambda, l_max = std::max({l1, l2, lambda}), angles = degree + 1;
  const Eigen::Index n1 = 2 * l1 + 1, n2 = 2 * l2 + 1, n = 2 * lambda + 1;
  std::vector<Matrix> integral(static_cast<std::size_t>(n), Matrix::Zero(n1, n2));
  for (const QuadratureNode& node : legendre_nodes(degree / 2 + 1))
    for (int k = 0; k < angles; ++k) {
      const double phi = 2 * std::numbers::pi * k / angles, ring = std::sqrt(1 - node.place * node.place);
      const Vector y = harmonics_at(l_max, Vector3(ring * std::cos(phi), ring * std::sin(phi), node.place));
      const Matrix product = y.segment(l1 * l1, n1) * y.segment(l2 * l2, n2).transpose();
      for (Eigen::Index mu = 0; mu < n; ++mu)
        integral[static_cast<std::size_t>(mu)] += node.weight * 2 * std::numbers::pi / angles * y[lambda * lambda + mu] * product;
    }
  std::vector<Coupling> result;
  for (Eigen::Index mu = 0; mu < n; ++mu) {
    const Matrix& g = integral[static_cast<std::size_t>(mu)];
    const double norm = g.norm();
    for (Eigen::Index i = 0; i < n1; ++i)
      for (Eigen::Index j = 0; j < n2; ++j)
        if (std::abs(g(i, j)) > 1e-12 * norm)
          result.push_back({static_cast<int>(mu), static_cast<int>(i), static_cast<int>(j), g(i, j) / norm});
  }
  return result;
}

}  // namespace gapkit
