#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "kernel_kinds.hpp"
#include "kernels/stationary_loops.hpp"

namespace gapkit {
namespace {

constexpr int largest_direct_size = 4;

/// κ = exp(−½ Σ_d (x_d − x'_d)²/θ_d²).   ∂κ/∂x = κ Λ (x' − x), Λ = diag(θ⁻²),   curvature κ
class SquaredExponential final : public Kernel {
 public:
  explicit SquaredExponential(const Parameters& parameters)
      : parameters_(parameters), length_scale_(checked_length_scale(parameters, "squared_exponential")) {}

  const Parameters& parameters() const override { return parameters_; }
  bool is_stationary() const override { return true; }
  Vector metric(int size) const override { return length_scale_metric(length_scale_, size, "squared_exponential"); }
  void check_features(int size, bool) const override { metric(size); }

  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    check_kernel_shapes(x, z, out);
    MatrixSlice value = out.value;
    MatrixSlice *slope = out.slope, *inner = out.inner, *curvature = out.curvature;
    if (x.cols() <= largest_direct_size)
      compute_direct(x, z, value, slope, inner);
    else
      compute_by_products(x, z, value, slope, inner);
    if (curvature != nullptr) *curvature = value;
  }

 private:
  /// Few dimensions: differences taken directly, so that close points lose no digits.
  void compute_direct(const MatrixView& x, const MatrixView& z, MatrixSlice& value, MatrixSlice* slope, MatrixSlice* inner) const {
    const int size = static_cast<int>(x.cols());
    const Vector lambda = metric(size);
    const Matrix z_columns = z.transpose();  // one contiguous row per dimension
    const StationaryPoints points{size, z_columns.cols(), z_columns.data(), z_columns.cols(), lambda.data()};
    const StationaryLoops& loops = stationary_loops();
    const Eigen::Index rows = x.rows();
    [[maybe_unused]] const bool threads = pays_to_start_threads(static_cast<double>(rows) * static_cast<double>(z.rows()));
#pragma omp parallel for schedule(static) if (threads)
    for (Eigen::Index e = 0; e < rows; ++e) {
      loops.gaussian_row(points, x.data() + e * x.outerStride(), value.data() + e * value.outerStride());
      if (slope != nullptr) slope->row(e) = value.row(e);
      if (inner == nullptr) continue;
      inner->row(e) = lambda[0] * x(e, 0) * z_columns.row(0);
      for (int d = 1; d < size; ++d) inner->row(e) += lambda[d] * x(e, d) * z_columns.row(d);
    }
  }

  /// Many dimensions: |x − z|² = |x|² + |z|² − 2 x·z in coordinates divided by θ, one GEMM.
  void compute_by_products(const MatrixView& x, const MatrixView& z, MatrixSlice& value, MatrixSlice* slope, MatrixSlice* inner) const {
    const Vector scale = metric(static_cast<int>(x.cols())).cwiseSqrt();
    const Matrix scaled_x = x * scale.asDiagonal();
    const Matrix scaled_z = z * scale.asDiagonal();
    const Eigen::RowVectorXd half_z = 0.5 * scaled_z.rowwise().squaredNorm().transpose();
    multiply_nt(scaled_x, scaled_z, value);
    const Eigen::Index rows = x.rows();
    [[maybe_unused]] const bool threads = pays_to_start_threads(static_cast<double>(rows) * static_cast<double>(z.rows()));
#pragma omp parallel for schedule(static) if (threads)
    for (Eigen::Index e = 0; e < rows; ++e) {
      if (inner != nullptr) inner->row(e) = value.row(e);
      const double half_x = 0.5 * scaled_x.row(e).squaredNorm();
      double* v = value.data() + e * value.outerStride();
      for (Eigen::Index m = 0; m < half_z.size(); ++m) {
        const double exponent = v[m] - half_x - half_z[m];
        v[m] = exponent > 0 ? 0 : exponent;  // rounding above 0 only; NaN stays NaN
      }
      value.row(e).array() = value.row(e).array().exp();
      if (slope != nullptr) slope->row(e) = value.row(e);
    }
  }

  Parameters parameters_;
  std::vector<double> length_scale_;
};

}  // namespace

KernelKind squared_exponential_kind() {
  return {"squared_exponential", "exp(-|x - x'|^2 / (2 length_scale^2))", {length_scale_info()}, [](const Parameters& parameters) {
            return std::make_shared<SquaredExponential>(parameters);
          }};
}

}  // namespace gapkit
