#pragma once

#include <cmath>
#include <gapkit/kernels/kernel.hpp>
#include <numbers>

namespace gapkit::test {

/// κ = (2/π) asin(2c/√(ab)), c = x·Λz, a = 1 + 2 x·Λx, b = 1 + 2 z·Λz, Λ = diag(θ⁻²): the covariance of a network with one wide layer of
/// error functions (Williams, 1998). Its gradient has a part along x. With Δ = ab − 4c²:
///     slope = 4/(π√Δ)                own_slope = −8c/(πa√Δ)
///     curvature = both = 16c/(πΔ^{3/2})     own_curvature = −8b/(πΔ^{3/2})
class ArcsineKernel final : public Kernel {
 public:
  explicit ArcsineKernel(std::vector<double> length_scale, bool is_smooth = true)
      : parameters_({{"length_scale", length_scale}}), theta_(length_scale), is_smooth_(is_smooth) {}

  const Parameters& parameters() const override { return parameters_; }
  bool is_stationary() const override { return false; }
  bool has_own_slope() const override { return true; }
  bool is_smooth() const override { return is_smooth_; }  // false: priors are double sums
  Vector metric(int size) const override {
    Vector result(size);
    for (int d = 0; d < size; ++d) result[d] = 1 / std::pow(theta_.size() == 1 ? theta_[0] : theta_.at(static_cast<std::size_t>(d)), 2);
    return result;
  }
  void check_features(int /*size*/, bool /*has_nonnegative_products*/) const override {}

  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    const Vector lambda = metric(static_cast<int>(x.cols()));
    MatrixSlice value = out.value;
    const auto put = [](MatrixSlice* part, Eigen::Index e, Eigen::Index m, double number) {
      if (part != nullptr) (*part)(e, m) = number;
    };
    for (Eigen::Index e = 0; e < x.rows(); ++e)
      for (Eigen::Index m = 0; m < z.rows(); ++m) {
        const double c = x.row(e) * lambda.asDiagonal() * z.row(m).transpose();
        const double a = 1 + 2 * (x.row(e) * lambda.asDiagonal() * x.row(e).transpose())(0, 0);
        const double b = 1 + 2 * (z.row(m) * lambda.asDiagonal() * z.row(m).transpose())(0, 0);
        const double root = std::sqrt(a * b - 4 * c * c), cube = root * root * root;
        value(e, m) = 2 / std::numbers::pi * std::asin(2 * c / std::sqrt(a * b));
        put(out.slope, e, m, 4 / (std::numbers::pi * root));
        put(out.inner, e, m, c);
        put(out.curvature, e, m, 16 * c / (std::numbers::pi * cube));
        put(out.own_slope, e, m, -8 * c / (std::numbers::pi * a * root));
        put(out.own_curvature, e, m, -8 * b / (std::numbers::pi * cube));
        put(out.both_curvature, e, m, 16 * c / (std::numbers::pi * cube));
      }
  }

 private:
  Parameters parameters_;
  std::vector<double> theta_;
  bool is_smooth_;
};

}  // namespace gapkit::test
