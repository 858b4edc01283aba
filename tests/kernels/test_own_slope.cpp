// Kernels whose gradient has a part along x: the formulas of kernel.hpp, and Kernel::compile.

#include <algorithm>
#include <gapkit/core/errors.hpp>

#include "support/arcsine_kernel.hpp"
#include "support/distributions.hpp"
#include "support/neural_kernels.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

double value(const Kernel& kernel, const Eigen::RowVectorXd& x, const Eigen::RowVectorXd& z) {
  Matrix k(1, 1);
  kernel.compute(Matrix(x), Matrix(z), k);
  return k(0, 0);
}

}  // namespace

TEST_CASE("a kernel with a part along x: gradient and mixed second derivative equal central differences") {
  const ArcsineKernel kernel({0.9, 1.4, 2.0});
  const Matrix x = random_features(4, 3, 1), z = random_features(5, 3, 2), dx = random_features(4, 3, 3), dz = random_features(5, 3, 4);
  const Vector lambda = kernel.metric(3);
  const OwnParts xz(kernel, x, z), zx(kernel, z, x);
  const double h = 1e-4;
  double largest_own = 0;
  for (Eigen::Index e = 0; e < 4; ++e)
    for (Eigen::Index m = 0; m < 5; ++m) {
      const auto at = [&](double a, double b) { return value(kernel, x.row(e) + a * dx.row(e), z.row(m) + b * dz.row(m)); };
      const auto product = [&](const auto& a, const auto& b) { return (a * lambda.asDiagonal() * b.transpose())(0, 0); };
      const double x_z = product(dx.row(e), z.row(m)), x_x = product(dx.row(e), x.row(e));
      const double z_x = product(dz.row(m), x.row(e)), z_z = product(dz.row(m), z.row(m));
      check_close(xz.slope(e, m) * x_z + xz.own_slope(e, m) * x_x, (at(h, 0) - at(-h, 0)) / (2 * h), 1e-7);
      check_close(xz.slope(e, m) * z_x + zx.own_slope(m, e) * z_z, (at(0, h) - at(0, -h)) / (2 * h), 1e-7);
      const double mixed = mixed_derivative(xz, zx, e, m, {product(dx.row(e), dz.row(m)), x_z, z_x, x_x, z_z});
      check_close(mixed, (at(h, h) - at(h, -h) - at(-h, h) + at(-h, -h)) / (4 * h * h), 1e-6);
      largest_own = std::max(largest_own, std::abs(xz.own_slope(e, m) * x_x));
    }
  REQUIRE(largest_own > 0.05);
  CHECK(largest_difference(xz.both_curvature, zx.both_curvature.transpose()) <= 1e-14);
}

TEST_CASE("the compiled sum of a kernel with a part along x has its gradient") {
  for (const int size : {1, 3}) {
    CAPTURE(size);
    const ArcsineKernel kernel({0.8});
    const Matrix points = random_features(7, size, 5), x = random_features(6, size, 6);
    const Vector weights = random_features(7, 1, 7).col(0);
    Matrix domain(2, 1);
    domain << -3, 3;
    const auto sum = kernel.compile(weights, points, size == 1 ? domain : Matrix());
    CHECK(std::string(sum->form()) == "sum");
    Vector energy(6);
    Matrix gradient(6, size);
    MatrixSlice slice = gradient;
    sum->compute(x, {energy.data(), 6}, &slice);
    const double h = 1e-5;
    for (Eigen::Index e = 0; e < 6; ++e) {
      const auto total = [&](const Eigen::RowVectorXd& at) {
        double result = 0;
        for (Eigen::Index m = 0; m < 7; ++m) result += weights[m] * value(kernel, at, points.row(m));
        return result;
      };
      check_close(energy[e], total(x.row(e)), 1e-13);
      for (Eigen::Index d = 0; d < size; ++d) {
        Eigen::RowVectorXd up = x.row(e), down = up;
        up[d] += h;
        down[d] -= h;
        check_close(gradient(e, d), (total(up) - total(down)) / (2 * h), 1e-8);
      }
    }
  }
}

TEST_CASE("kernels without a part along x refuse to give one; names of kernels are unique") {
  for (const KernelKind& kind : kernel_kinds()) {
    CAPTURE(kind.name);
    Parameters given;
    if (std::any_of(kind.parameters.begin(), kind.parameters.end(), [](const ParameterInfo& i) { return i.name == "length_scale"; }))
      given.set("length_scale", 1.0);
    const auto kernel = kind.make(complete_parameters(given, kind.parameters, "test"));
    if (kind.name == "ntk" || kind.name == "nngp") continue;
    CHECK(!kernel->has_own_slope());
    CHECK_THROWS_AS(OwnParts(*kernel, random_features(2, 2, 1), random_features(3, 2, 2)), InputError);
    CHECK(message_of<InputError>([&] { add_kernel_kind(kind); }).find(kind.name) != std::string::npos);
  }
}
