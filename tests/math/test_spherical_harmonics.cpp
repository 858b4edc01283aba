// Real spherical harmonics: orthonormality by quadrature, addition theorem, gradients, poles, explicit formulas.

#include <Eigen/Geometry>
#include <gapkit/core/types.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>
#include <numbers>

#include "support/distributions.hpp"
#include "support/quadrature.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using harmonics::largest_l;
constexpr double pi = std::numbers::pi;

int count_for(int l_max) {
  return (l_max + 1) * (l_max + 1);
}

// One unit vector in all lanes; gradient [3, count], or null.
void real_spherical_harmonics(int l_max, const Vector3& unit, double* value, double* gradient = nullptr) {
  using harmonics::lanes;
  const int count = count_for(l_max);
  std::vector<double> prefactor(static_cast<std::size_t>((l_max + 1) * (l_max + 2) / 2));
  harmonics::fill_prefactors(l_max, prefactor.data(), [](double v) { return std::sqrt(v); });
  std::vector<double> values(static_cast<std::size_t>(count * lanes)), gradients(static_cast<std::size_t>(3 * count * lanes));
  double x[lanes], y[lanes], z[lanes];
  std::fill(x, x + lanes, unit.x());
  std::fill(y, y + lanes, unit.y());
  std::fill(z, z + lanes, unit.z());
  harmonics::evaluate(l_max, prefactor.data(), {x, y, z}, values.data(), gradient ? gradients.data() : nullptr);
  for (int i = 0; i < count; ++i) value[i] = values[static_cast<std::size_t>(i * lanes)];
  for (int i = 0; gradient && i < 3 * count; ++i) gradient[i] = gradients[static_cast<std::size_t>(i * lanes)];
}

Vector harmonics_of(int l_max, const Vector3& unit) {
  Vector y(count_for(l_max));
  real_spherical_harmonics(l_max, unit, y.data());
  return y;
}

/// [3, count]
Matrix gradient_of(int l_max, const Vector3& unit) {
  Vector y(count_for(l_max));
  Matrix gradient(3, count_for(l_max));
  real_spherical_harmonics(l_max, unit, y.data(), gradient.data());
  return gradient;
}

std::vector<Vector3> directions(int n, unsigned seed) {
  std::mt19937_64 random(seed);
  test::Normal normal;
  std::vector<Vector3> result = {
      {0, 0, 1}, {0, 0, -1}, {1, 0, 0}, {0, -1, 0}, Vector3(1e-9, 2e-9, 1).normalized(), Vector3(1e-4, 0, -1).normalized()};
  for (int i = 0; i < n; ++i) result.push_back(Vector3(normal(random), normal(random), normal(random)).normalized());
  return result;
}

double legendre(int l, double x) {
  double previous = 1, current = x;
  if (l == 0) return 1;
  for (int k = 2; k <= l; ++k) {
    const double next = ((2 * k - 1) * x * current - (k - 1) * previous) / k;
    previous = current;
    current = next;
  }
  return current;
}

}  // namespace

TEST_CASE("spherical harmonics are orthonormal under a product quadrature that is exact for them") {
  // Gauss-Legendre in z and equal angles integrate every product of two functions up to l = 24 exactly.
  const Quadrature z = gauss_legendre(largest_l + 1, -1, 1);
  const int angles = 2 * largest_l + 2, n = count_for(largest_l);
  Matrix overlap = Matrix::Zero(n, n);
  for (std::size_t i = 0; i < z.point.size(); ++i)
    for (int k = 0; k < angles; ++k) {
      const double phi = 2 * pi * (k + 0.3) / angles, c = static_cast<double>(z.point[i]), s = std::sqrt(1 - c * c);
      const Vector y = harmonics_of(largest_l, {s * std::cos(phi), s * std::sin(phi), c});
      overlap += static_cast<double>(z.weight[i]) * 2 * pi / angles * (y * y.transpose());
    }
  CHECK(largest_difference(overlap, Matrix(Matrix::Identity(n, n))) <= 1e-12);
}

TEST_CASE("spherical harmonics obey the addition theorem") {
  const auto points = directions(6, 11);
  for (const Vector3& a : points)
    for (const Vector3& b : points) {
      const Vector ya = harmonics_of(largest_l, a), yb = harmonics_of(largest_l, b);
      for (int l = 0; l <= largest_l; ++l)
        check_close(ya.segment(l * l, 2 * l + 1).dot(yb.segment(l * l, 2 * l + 1)), (2 * l + 1) / (4 * pi) * legendre(l, a.dot(b)), 1e-12);
    }
}

TEST_CASE("spherical harmonics equal their explicit formulas up to l = 2, and do not depend on l_max") {
  for (const Vector3& u : directions(8, 12)) {
    const double x = u.x(), y = u.y(), z = u.z();
    const double one = std::sqrt(3 / (4 * pi)), two = std::sqrt(15 / (4 * pi));
    Vector expected(9);
    expected << std::sqrt(1 / (4 * pi)), one * y, one * z, one * x, two * x * y, two * y * z, std::sqrt(5 / (16 * pi)) * (3 * z * z - 1),
        two * x * z, two / 2 * (x * x - y * y);
    // Signs of m ≠ 0 are a convention without effect on invariants; all functions must keep it.
    const Vector actual = harmonics_of(2, u), all = harmonics_of(largest_l, u);
    for (int i = 0; i < 9; ++i) check_close(actual[i], expected[i], 1e-14);
    for (int l_max = 0; l_max < largest_l; ++l_max) CHECK(largest_difference(harmonics_of(l_max, u), all.head(count_for(l_max))) == 0);
  }
}

TEST_CASE("gradients of spherical harmonics are tangential and equal differences along the sphere, poles included") {
  for (const int l_max : {0, 1, 2, 7, largest_l})
    for (const Vector3& u : directions(6, 13)) {
      CAPTURE(l_max);
      CAPTURE(u.z());
      const Matrix gradient = gradient_of(l_max, u);
      CHECK(largest_difference(Matrix(u.transpose() * gradient), Matrix(Matrix::Zero(1, gradient.cols()))) <= 1e-12 * (1 + l_max * l_max));
      const Vector3 other = std::abs(u.x()) < 0.7 ? Vector3(1, 0, 0) : Vector3(0, 1, 0);
      const Vector3 e1 = u.cross(other).normalized(), e2 = u.cross(e1);
      double largest = 0;
      for (const Vector3& e : {e1, e2}) {
        const auto along = [&](double angle) { return harmonics_of(l_max, std::cos(angle) * u + std::sin(angle) * e); };
        const double h = 1e-3;
        const Vector numerical =
            (45 * (along(h) - along(-h)) - 9 * (along(2 * h) - along(-2 * h)) + (along(3 * h) - along(-3 * h))) / (60 * h);
        const Vector analytic = (e.transpose() * gradient).transpose();
        largest = std::max(largest, analytic.cwiseAbs().maxCoeff());
        CHECK(largest_difference(numerical, analytic) <= 1e-9);
      }
      if (l_max > 0) CHECK(largest > 0.1);
    }
}

TEST_CASE("values of spherical harmonics are the same with and without the gradient") {
  const Vector3 u = Vector3(0.3, -0.8, 0.1).normalized();
  Vector with(count_for(9));
  Matrix gradient(3, count_for(9));
  real_spherical_harmonics(9, u, with.data(), gradient.data());
  CHECK(largest_difference(with, harmonics_of(9, u)) == 0);
}
