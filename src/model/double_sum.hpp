#pragma once

#include <algorithm>
#include <cmath>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/single_products.hpp>

namespace gapkit {

inline constexpr Eigen::Index sum_block = 512;  ///< environments in a block of a double sum

/// A linear functional of ε for each component c: Σ_e value(e, c) ε(x_e) + gradient_c,e · ∇ε(x_e). Real: precision of the products of
/// gradients.
template <class Real>
struct FunctionalsOf {
  Matrix x;                              // [E, D]
  MatrixOf<Real> scaled_x;               // x √Λ
  Matrix value;                          // [E, C]
  std::vector<MatrixOf<Real>> gradient;  // C times [E, D], times √Λ
};

/// Contribution of two blocks of environments to k** of each component (methods.md, section 5):
///   (v + g·∇)(v' + g'·∇')κ = v v' κ + S (v g'·Λ(x − h x') + v' g·Λ(x' − h x) + gᵀΛg') + C (g·Λ(x' − h x)) (g'·Λ(x − h x'))
/// with slope S and curvature C of the kernel. One with has_own_slope() adds, with its own_slope R, own_curvature C_x, both_curvature C_b
/// and R' = R(x', x), C_x' = C_x(x', x),
///   v' R g·Λx + v R' g'·Λx' + C_x (g·Λx) (g'·Λx) + C_x' (g·Λx') (g'·Λx') + C_b (g·Λx) (g'·Λx')
template <class Real>
struct DoubleSumOf {
  using Functionals = FunctionalsOf<Real>;
  using GradientView = Eigen::Ref<const MatrixOf<Real>, 0, Eigen::OuterStride<>>;

  const Kernel& kernel;
  double stationary;
  Matrix k = {}, slope = {}, curvature = {};  // scratch
  MatrixOf<Real> p = {}, r = {}, b = {};
  // For has_own_slope(): R, R', C_x, C_x', C_b; g·Λx and g'·Λx'
  Matrix own_slope = {}, other_slope = {}, own_curvature = {}, other_curvature = {}, both_curvature = {};
  Vector along_x = {}, along_z = {};

  // In tiles, because an atom can have thousands of triplets. `left` and `right` may be one object.
  void add(const Functionals& left, const Functionals& right, double factor, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude) {
    const bool same = &left == &right;
    for (Eigen::Index i = 0; i < left.x.rows(); i += sum_block)
      for (Eigen::Index j = 0; j < (same ? i + 1 : right.x.rows()); j += sum_block) {
        const Tile first{left, i, std::min(sum_block, left.x.rows() - i)}, second{right, j, std::min(sum_block, right.x.rows() - j)};
        add_tile(first, second, same && i == j, same && i != j ? 2 * factor : factor, value, magnitude);
      }
  }

 private:
  // Some environments of a block.
  struct Tile {
    const Functionals& functionals;
    Eigen::Index first, count;

    MatrixView x() const { return functionals.x.middleRows(first, count); }
    GradientView scaled_x() const { return functionals.scaled_x.middleRows(first, count); }
    GradientView gradient(std::size_t component) const { return functionals.gradient[component].middleRows(first, count); }
    double value(Eigen::Index row, Eigen::Index component) const { return functionals.value(first + row, component); }
  };

  void add_tile(const Tile& left, const Tile& right, bool same, double factor, Eigen::Ref<Vector> value, Eigen::Ref<Vector> magnitude) {
    const Eigen::Index n = left.count, m = right.count;
    compute_kernel(left.x(), right.x(), same);
    for (std::size_t a = 0; a < left.functionals.gradient.size(); ++a) {
      const auto column = static_cast<Eigen::Index>(a);
      along(left.gradient(a), left.scaled_x(), right.scaled_x(), p);
      if (same)
        r = p.transpose();
      else {
        along(right.gradient(a), right.scaled_x(), left.scaled_x(), b);
        r = b.transpose();
      }
      b.resize(n, m);
      multiply_nt(left.gradient(a), right.gradient(a), b);
      double sum = 0, absolute = 0;
      for (Eigen::Index i = 0; i < n; ++i) {
        const double v = left.value(i, column);
        for (Eigen::Index j = 0; j < m; ++j) {
          const double w = right.value(j, column);
          const double pij = p(i, j), rij = r(i, j);
          const double part = v * w * k(i, j) + slope(i, j) * (v * rij + w * pij + b(i, j)) + curvature(i, j) * pij * rij;
          sum += part;
          absolute += std::abs(part);
        }
      }
      if (kernel.has_own_slope()) add_own_parts(left, right, a, sum, absolute);
      value[column] += factor * sum;
      magnitude[column] += factor * absolute;
    }
  }

  // The extra terms of has_own_slope() for one component.
  void add_own_parts(const Tile& left, const Tile& right, std::size_t component, double& sum, double& absolute) {
    along_x = left.gradient(component).cwiseProduct(left.scaled_x()).rowwise().sum().template cast<double>();
    along_z = right.gradient(component).cwiseProduct(right.scaled_x()).rowwise().sum().template cast<double>();
    const auto column = static_cast<Eigen::Index>(component);
    for (Eigen::Index i = 0; i < left.count; ++i)
      for (Eigen::Index j = 0; j < right.count; ++j) {
        const double part = right.value(j, column) * own_slope(i, j) * along_x[i] + left.value(i, column) * other_slope(i, j) * along_z[j] +
                            own_curvature(i, j) * along_x[i] * r(i, j) + other_curvature(i, j) * p(i, j) * along_z[j] +
                            both_curvature(i, j) * along_x[i] * along_z[j];
        sum += part;
        absolute += std::abs(part);
      }
  }

  void compute_kernel(const MatrixView& x, const MatrixView& z, bool same) {
    if (kernel.has_own_slope()) {
      compute_parts(z, x);
      other_slope = own_slope.transpose();
      other_curvature = own_curvature.transpose();
    }
    if (!kernel.has_own_slope() || !same) compute_parts(x, z);
  }

  void compute_parts(const MatrixView& x, const MatrixView& z) {
    for (Matrix* part : {&k, &slope, &curvature}) part->resize(x.rows(), z.rows());
    MatrixSlice s = slope, c = curvature;
    if (!kernel.has_own_slope()) return kernel.compute(x, z, k, &s, nullptr, &c);
    for (Matrix* part : {&own_slope, &own_curvature, &both_curvature}) part->resize(x.rows(), z.rows());
    MatrixSlice own = own_slope, own_second = own_curvature, both = both_curvature;
    kernel.compute(x, z,
                   {.value = k, .slope = &s, .curvature = &c, .own_slope = &own, .own_curvature = &own_second, .both_curvature = &both});
  }

  // g_i · Λ(z_j − h x_i)
  void along(const GradientView& gradient, const GradientView& x, const GradientView& z, MatrixOf<Real>& result) const {
    result.resize(x.rows(), z.rows());
    multiply_nt(gradient, z, result);
    if (stationary != 0) result.colwise() -= static_cast<Real>(stationary) * gradient.cwiseProduct(x).rowwise().sum();
  }
};

}  // namespace gapkit
