// A kernel in one file: κ(x, z) = (1 + |x − z|² / 2αθ²)^−α. In the project it would be src/kernels/rational_quadratic.cpp, and
// rational_quadratic_kind() one line in the table of src/kernels/kernel_kinds.cpp.

#include <cmath>
#include <gapkit/core/errors.hpp>

#include "additions.hpp"

namespace gapkit::example {
namespace {

class RationalQuadratic final : public Kernel {
 public:
  explicit RationalQuadratic(const Parameters& parameters)
      : parameters_(parameters), theta_(parameters.real("length_scale")), alpha_(parameters.real("alpha")) {}

  const Parameters& parameters() const override { return parameters_; }
  // A function of x − z: its gradient is slope · (Λz − Λx) with Λ = 1/θ².
  bool is_stationary() const override { return true; }
  Vector metric(int size) const override { return Vector::Constant(size, 1 / (theta_ * theta_)); }
  void check_features(int /*size*/, bool /*has_nonnegative_products*/) const override {}

  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    MatrixSlice value = out.value;
    for (Eigen::Index e = 0; e < x.rows(); ++e)
      for (Eigen::Index m = 0; m < z.rows(); ++m) {
        const double base = 1 + (x.row(e) - z.row(m)).squaredNorm() / (2 * alpha_ * theta_ * theta_);
        value(e, m) = std::pow(base, -alpha_);
        if (out.slope) (*out.slope)(e, m) = std::pow(base, -alpha_ - 1);
        if (out.curvature) (*out.curvature)(e, m) = (alpha_ + 1) / alpha_ * std::pow(base, -alpha_ - 2);
        if (out.inner) (*out.inner)(e, m) = x.row(e).dot(z.row(m)) / (theta_ * theta_);
      }
  }

 private:
  Parameters parameters_;
  double theta_, alpha_;
};

}  // namespace

KernelKind rational_quadratic_kind() {
  ParameterInfo length_scale{.name = "length_scale", .description = "distance over which the energy varies"};
  length_scale.smallest = 0;
  length_scale.excludes_smallest = true;
  ParameterInfo alpha = length_scale;
  alpha.name = "alpha";
  alpha.description = "weight of long against short length scales";
  alpha.default_value = 1.0;
  return {
      "rational_quadratic", "(1 + |x - x'|^2 / (2 alpha length_scale^2))^-alpha", {length_scale, alpha}, [](const Parameters& parameters) {
        return std::make_shared<RationalQuadratic>(parameters);
      }};
}

}  // namespace gapkit::example
