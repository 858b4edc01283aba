#pragma once

#include <cmath>
#include <gapkit/kernels/kernel.hpp>
#include <numbers>
#include <random>

#include "support/distributions.hpp"

namespace gapkit::test {

/// Standard normal numbers, [rows, size].
inline Matrix random_features(int rows, int size, unsigned seed) {
  std::mt19937_64 generator(seed);
  Normal normal;
  Matrix x(rows, size);
  for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = normal(generator);
  return x;
}

struct NeuralSetup {
  std::string name = "ntk", activation = "gelu";
  int depth = 2;
  double weight_variance = 1.5, bias_variance = 0.1, input_scale = 1;
};

inline std::shared_ptr<const Kernel> neural_kernel(const NeuralSetup& setup) {
  const KernelKind& kind = kernel_kind(setup.name);
  return kind.make(complete_parameters({{"activation", setup.activation},
                                        {"depth", std::int64_t{setup.depth}},
                                        {"weight_variance", setup.weight_variance},
                                        {"bias_variance", setup.bias_variance},
                                        {"input_scale", setup.input_scale}},
                                       kind.parameters, "test"));
}

/// a_ζ/κ(1) of κ(t) = Σ_ζ a_ζ t^ζ, t = x·z of unit vectors, for ζ below `count`: from the polynomial through the Chebyshev nodes.
inline std::vector<double> zeta_shares(const Kernel& kernel, std::size_t count) {
  constexpr std::size_t n = 64;
  Matrix x(1, 2), z(n + 1, 2), value(1, n + 1);
  x << 1, 0;
  for (std::size_t k = 0; k < n; ++k) {
    const double angle = std::numbers::pi * (static_cast<double>(k) + 0.5) / n;
    z.row(static_cast<Eigen::Index>(k)) << std::cos(angle), std::sin(angle);
  }
  z.row(n) << 1, 0;
  kernel.compute(x, z, value);
  std::vector<long double> result(n, 0), previous(n, 0), current(n, 0), next(n, 0);
  previous[0] = current[1] = 1;  // coefficients of T_0, T_1
  for (std::size_t j = 0; j < n; ++j) {
    long double c = 0;
    for (std::size_t k = 0; k < n; ++k)
      c += value(0, static_cast<Eigen::Index>(k)) * std::cos(std::numbers::pi_v<long double> * j * (k + 0.5L) / n);
    for (std::size_t k = 0; k < n; ++k) {
      result[k] += (j == 0 ? 1 : 2) * c / n * previous[k];
      next[k] = (k > 0 ? 2 * current[k - 1] : 0) - previous[k];
    }
    previous = current;
    current = next;
  }
  std::vector<double> shares;
  for (std::size_t zeta = 0; zeta < count; ++zeta) shares.push_back(static_cast<double>(result[zeta]) / value(0, n));
  return shares;
}

/// All outputs of a kernel whose gradient has a part along x.
struct OwnParts {
  Matrix value, slope, curvature, own_slope, own_curvature, both_curvature;

  OwnParts(const Kernel& kernel, const Matrix& x, const Matrix& z) {
    for (Matrix* part : {&value, &slope, &curvature, &own_slope, &own_curvature, &both_curvature}) part->resize(x.rows(), z.rows());
    MatrixSlice s = slope, c = curvature, r = own_slope, o = own_curvature, b = both_curvature;
    kernel.compute(x, z,
                   KernelParts{.value = value, .slope = &s, .curvature = &c, .own_slope = &r, .own_curvature = &o, .both_curvature = &b});
  }
};

/// Scalar products (with Λ) of the directions dx, dz and the points x, z.
struct DirectionProducts {
  double dx_dz, dx_z, dz_x, dx_x, dz_z;
};

/// The mixed second derivative of κ(x_e, z_m) along dx and dz (kernel.hpp).
inline double mixed_derivative(const OwnParts& xz, const OwnParts& zx, Eigen::Index e, Eigen::Index m, const DirectionProducts& p) {
  return xz.slope(e, m) * p.dx_dz + xz.curvature(e, m) * p.dx_z * p.dz_x + xz.own_curvature(e, m) * p.dx_x * p.dz_x +
         zx.own_curvature(m, e) * p.dx_z * p.dz_z + xz.both_curvature(e, m) * p.dx_x * p.dz_z;
}

}  // namespace gapkit::test
