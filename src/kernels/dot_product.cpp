#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "kernel_kinds.hpp"
#include "kernels/power_loops.hpp"

namespace gapkit {
namespace {

constexpr double largest_zeta = 1000;  // integer ζ must fit an int; used values are far below

/// Integer ζ: s = X Zᵀ, one pass over s, ∂ε/∂X = (ζ w s^{ζ−1}) Z.
class PowerSum final : public LocalEnergy {
 public:
  PowerSum(int zeta, const Vector& weights, const Matrix& points) : zeta_(zeta), weights_(weights), points_(points) {}

  const char* form() const override { return "powers"; }
  bool gives_values() const override { return true; }

  void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* values) override {
    const Eigen::Index rows = x.rows(), cols = points_.rows();
    product_.resize(rows, cols);
    multiply_nt(x, points_, product_.view());
    const PowerLoops& loops = power_loops();
    [[maybe_unused]] const bool threads = pays_to_start_threads(static_cast<double>(rows) * static_cast<double>(cols));
#pragma omp parallel for schedule(static) if (threads)
    for (Eigen::Index e = 0; e < rows; ++e)
      energy[static_cast<std::size_t>(e)] = loops.weighted_powers(zeta_, cols, weights_.data(), product_.row(e),
                                                                  values != nullptr ? values->data() + e * values->outerStride() : nullptr);
    if (gradient != nullptr) multiply_nn(product_.view(), points_, *gradient);
  }

 private:
  int zeta_;
  Vector weights_;
  Matrix points_;
  ReusableMatrix product_;
};

/// ζ = 1: ε = x·g with g = Σ_m w_m z_m.   ζ = 2: ε = x·A x with A = Σ_m w_m z_m z_mᵀ. The cost does not depend on M.
class CollapsedSum final : public LocalEnergy {
 public:
  CollapsedSum(int zeta, const Vector& weights, const Matrix& points) : zeta_(zeta) {
    if (zeta == 1)
      form_ = weights.transpose() * points;
    else
      form_ = points.transpose() * weights.asDiagonal() * points;
  }

  const char* form() const override { return zeta_ == 1 ? "linear" : "quadratic"; }

  void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* /*values*/) override {
    const Eigen::Index rows = x.rows();
    if (zeta_ == 1) {
      Eigen::Map<Vector>(energy.data(), rows).noalias() = x * form_.row(0).transpose();
      if (gradient != nullptr) gradient->rowwise() = form_.row(0);
      return;
    }
    product_.resize(rows, x.cols());
    MatrixSlice product = gradient != nullptr ? *gradient : MatrixSlice(product_.view());
    multiply_nn(x, form_, product);
    for (Eigen::Index e = 0; e < rows; ++e) energy[static_cast<std::size_t>(e)] = product.row(e).dot(x.row(e));
    if (gradient != nullptr) *gradient *= 2;
  }

 private:
  int zeta_;
  Matrix form_;
  ReusableMatrix product_;
};

/// κ = s^ζ, s = x·x'.   ∂κ/∂x = ζ s^{ζ−1} x',   curvature ζ(ζ−1) s^{ζ−2}
class DotProduct final : public Kernel {
 public:
  explicit DotProduct(const Parameters& parameters) : parameters_(parameters), zeta_(parameters.real("zeta")) {
    if (!(zeta_ >= 1 && zeta_ <= largest_zeta))
      throw InputError(fmt::format("dot_product: zeta is {}, expected a number from 1 to {}", zeta_, largest_zeta));
    is_integer_ = zeta_ == std::floor(zeta_);
  }

  const Parameters& parameters() const override { return parameters_; }
  bool is_stationary() const override { return false; }
  Vector metric(int) const override { return {}; }

  void check_features(int size, bool has_nonnegative_products) const override {
    if (size < 1) throw InputError(fmt::format("dot_product: feature vectors have {} components, expected at least 1", size));
    if (!is_integer_ && !has_nonnegative_products)
      throw InputError(
          fmt::format("dot_product: zeta = {} needs feature vectors whose products cannot be negative, which this descriptor does not "
                      "promise; use an integer zeta",
                      zeta_));
  }

  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    check_kernel_shapes(x, z, out);
    MatrixSlice value = out.value;
    MatrixSlice *slope = out.slope, *inner = out.inner, *curvature = out.curvature;
    multiply_nt(x, z, value);
    const Eigen::Index rows = value.rows(), cols = value.cols();
    [[maybe_unused]] const bool threads = pays_to_start_threads(static_cast<double>(rows) * static_cast<double>(cols));
#pragma omp parallel for schedule(static) if (threads)
    for (Eigen::Index e = 0; e < rows; ++e) {
      double* v = value.data() + e * value.outerStride();
      if (inner != nullptr) std::copy(v, v + cols, inner->data() + e * inner->outerStride());
      double* d = slope != nullptr ? slope->data() + e * slope->outerStride() : nullptr;
      if (curvature != nullptr) {
        double* c = curvature->data() + e * curvature->outerStride();
        for (Eigen::Index m = 0; m < cols; ++m) c[m] = curvature_of(v[m]);
      }
      if (is_integer_)
        integer_zeta(v, d, cols);
      else
        real_zeta(v, d, cols);
    }
  }

  std::unique_ptr<LocalEnergy> compile(const Vector& weights, const Matrix& points, const Matrix& domain) const override {
    if (!is_integer_) return Kernel::compile(weights, points, domain);
    const int zeta = static_cast<int>(zeta_);
    if (zeta == 1 || (zeta == 2 && points.cols() <= 2 * points.rows())) return std::make_unique<CollapsedSum>(zeta, weights, points);
    return std::make_unique<PowerSum>(zeta, weights, points);
  }

 private:
  double curvature_of(double s) const {
    if (zeta_ == 1) return 0;
    if (zeta_ == 2) return 2;
    if (zeta_ == 3) return 6 * s;
    if (zeta_ == 4) return 12 * s * s;
    if (!is_integer_ && s <= 0) return zeta_ < 2 ? 0 : zeta_ * (zeta_ - 1) * std::pow(0.0, zeta_ - 2);
    return zeta_ * (zeta_ - 1) * std::pow(s, zeta_ - 2);
  }

  /// In: v = s. Out: v = s^ζ, d = ζ s^{ζ−1} (unless null).
  void integer_zeta(double* v, double* d, Eigen::Index n) const {
    const int zeta = static_cast<int>(zeta_);
    if (zeta == 1) {
      if (d != nullptr) std::fill(d, d + n, 1.0);
      return;
    }
    constexpr Eigen::Index block = 256;
    std::array<double, block> base, power;
    for (Eigen::Index start = 0; start < n; start += block, v += block) {
      const Eigen::Index length = std::min(block, n - start);
      std::copy(v, v + length, base.begin());
      integer_power(base.data(), zeta - 1, power.data(), length);
      if (d != nullptr)
        for (Eigen::Index i = 0; i < length; ++i) d[start + i] = zeta_ * power[static_cast<std::size_t>(i)];
      for (Eigen::Index i = 0; i < length; ++i) v[i] *= power[static_cast<std::size_t>(i)];
    }
  }

  void real_zeta(double* v, double* d, Eigen::Index n) const {
    for (Eigen::Index i = 0; i < n; ++i) {
      const double s = v[i] < 0 ? 0 : v[i];  // rounding below 0 only; NaN stays NaN
      const double power = std::pow(s, zeta_ - 1);
      if (d != nullptr) d[i] = zeta_ * power;
      v[i] = s * power;
    }
  }

  Parameters parameters_;
  double zeta_;
  bool is_integer_ = true;
};

}  // namespace

KernelKind dot_product_kind() {
  ParameterInfo zeta;
  zeta.name = "zeta";
  zeta.type = ParameterInfo::Type::real;
  zeta.description = "exponent; correlates up to 2 zeta neighbours, integers are fastest";
  zeta.default_value = 4.0;
  zeta.smallest = 1;
  zeta.largest = largest_zeta;
  return {"dot_product", "(x . x')^zeta", {zeta}, [](const Parameters& parameters) { return std::make_shared<DotProduct>(parameters); }};
}

}  // namespace gapkit
