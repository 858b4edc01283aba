#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "kernel_kinds.hpp"

namespace gapkit {
namespace {

/// κ(r), r² = Σ_d (x_d − x'_d)²/θ_d², zero from r = 1 on, positive definite in D dimensions.
///
/// Source: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eq. 4.21. With b = 1 − r and n = ⌊D/2⌋ + 2q + 1:
///     q = 1:   κ = bⁿ (n r + 1)                           slope = n (n+1) bⁿ⁻¹                          curvature = (n−1) n (n+1) bⁿ⁻² / r
///     q = 2:   κ = bⁿ ((n²−1) r² + 3 n r + 3) / 3         slope = (n+1)(n+2)/3 bⁿ⁻¹ ((n−1) r + 1)       curvature = (n−1) n (n+1)(n+2)/3
///     bⁿ⁻²
/// where slope = −dκ/du, curvature = d²κ/du² for u = r²/2. For q = 1 the curvature diverges at r = 0, where it is multiplied by r².
class PiecewisePolynomial final : public Kernel {
 public:
  explicit PiecewisePolynomial(const Parameters& parameters)
      : parameters_(parameters),
        length_scale_(checked_length_scale(parameters, "piecewise_polynomial")),
        smoothness_(static_cast<int>(parameters.integer("smoothness"))) {
    if (smoothness_ != 1 && smoothness_ != 2) throw InputError("piecewise_polynomial: smoothness is neither 1 nor 2");
  }

  const Parameters& parameters() const override { return parameters_; }
  bool is_stationary() const override { return true; }
  bool is_smooth() const override { return false; }
  Vector metric(int size) const override { return length_scale_metric(length_scale_, size, "piecewise_polynomial"); }
  void check_features(int size, bool) const override { metric(size); }

  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    check_kernel_shapes(x, z, out);
    MatrixSlice value = out.value;
    MatrixSlice *slope = out.slope, *inner = out.inner, *curvature = out.curvature;
    const Vector lambda = metric(static_cast<int>(x.cols()));
    const Matrix z_columns = z.transpose();  // one contiguous row per dimension
    const Eigen::Index rows = x.rows(), cols = z.rows();
    [[maybe_unused]] const bool threads = pays_to_start_threads(static_cast<double>(rows) * static_cast<double>(cols));
#pragma omp parallel for schedule(static) if (threads)
    for (Eigen::Index e = 0; e < rows; ++e) {
      const auto row_of = [e](MatrixSlice* m) { return m != nullptr ? m->data() + e * m->outerStride() : nullptr; };
      double* r = value.data() + e * value.outerStride();
      squared_distances(x.row(e), z_columns, lambda, r);
      evaluate(static_cast<int>(x.cols()), cols, r, row_of(slope), row_of(curvature));
      if (inner == nullptr) continue;
      inner->row(e).setZero();
      for (Eigen::Index d = 0; d < x.cols(); ++d) inner->row(e) += lambda[d] * x(e, d) * z_columns.row(d);
    }
  }

 private:
  template <class Row>
  static void squared_distances(const Row& x, const Matrix& z_columns, const Vector& lambda, double* result) {
    std::fill(result, result + z_columns.cols(), 0.0);
    for (Eigen::Index d = 0; d < z_columns.rows(); ++d) {
      const double* z = z_columns.data() + d * z_columns.cols();
      const double at = x[d], scale = lambda[d];
      for (Eigen::Index m = 0; m < z_columns.cols(); ++m) result[m] += scale * (z[m] - at) * (z[m] - at);
    }
  }

  /// In: v = r². Out: v = κ, and slope and curvature unless null.
  void evaluate(int size, Eigen::Index count, double* v, double* slope, double* curvature) const {
    constexpr Eigen::Index block = 256;
    const int degree = size / 2 + 2 * smoothness_ + 1;
    const double n = degree;
    std::array<double, block> r, base, scratch, power;
    for (Eigen::Index start = 0; start < count; start += block) {
      const auto length = static_cast<std::size_t>(std::min(block, count - start));
      double* value = v + start;
      for (std::size_t i = 0; i < length; ++i) {
        const double distance = std::sqrt(value[i]);
        r[i] = distance > 1 ? 1 : distance;  // NaN stays NaN
        base[i] = 1 - r[i];
        scratch[i] = base[i];
      }
      integer_power(scratch.data(), degree - 2, power.data(), static_cast<Eigen::Index>(length));  // bⁿ⁻²
      if (smoothness_ == 1) {
        for (std::size_t i = 0; i < length; ++i) value[i] = base[i] * base[i] * power[i] * (n * r[i] + 1);
        if (slope != nullptr)
          for (std::size_t i = 0; i < length; ++i) slope[static_cast<std::size_t>(start) + i] = n * (n + 1) * base[i] * power[i];
        if (curvature != nullptr)
          for (std::size_t i = 0; i < length; ++i)
            curvature[static_cast<std::size_t>(start) + i] = r[i] == 0 ? 0 : (n - 1) * n * (n + 1) * power[i] / r[i];
      } else {
        const double factor = (n + 1) * (n + 2) / 3;
        for (std::size_t i = 0; i < length; ++i) value[i] = base[i] * base[i] * power[i] * (((n * n - 1) / 3 * r[i] + n) * r[i] + 1);
        if (slope != nullptr)
          for (std::size_t i = 0; i < length; ++i)
            slope[static_cast<std::size_t>(start) + i] = factor * base[i] * power[i] * ((n - 1) * r[i] + 1);
        if (curvature != nullptr)
          for (std::size_t i = 0; i < length; ++i) curvature[static_cast<std::size_t>(start) + i] = (n - 1) * n * factor * power[i];
      }
    }
  }

  Parameters parameters_;
  std::vector<double> length_scale_;
  int smoothness_;
};

}  // namespace

KernelKind piecewise_polynomial_kind() {
  ParameterInfo length_scale = length_scale_info(), smoothness;
  length_scale.description = "distance in feature space from which on two environments are independent: one number, or one per dimension";
  smoothness.name = "smoothness";
  smoothness.type = ParameterInfo::Type::integer;
  smoothness.description = "1 or 2: times that the energy can be differentiated (GAP's pp kernel has 1)";
  smoothness.default_value = std::int64_t{2};
  smoothness.smallest = 1;
  smoothness.largest = 2;
  return {"piecewise_polynomial",
          "polynomial in |x - x'|/length_scale that is exactly 0 from 1 on",
          {length_scale, smoothness},
          [](const Parameters& parameters) { return std::make_shared<PiecewisePolynomial>(parameters); }};
}

}  // namespace gapkit
