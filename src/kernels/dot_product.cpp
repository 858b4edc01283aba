#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/reusable_matrix.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "kernel_kinds.hpp"
#include "kernels/power_sum.hpp"

namespace gapkit {
namespace {

constexpr double largest_zeta = 1000;  // integer ζ must fit an int; used values are far below

/// With points z times the scale, ζ = 1: ε = x·g + constant with g = Σ_m w_m z_m.   ζ = 2: ε = x·A x + x·g + constant with A =
/// Σ_m w_m z_m z_mᵀ, g = 2 shift Σ_m w_m z_m. The cost does not depend on M.
class CollapsedSum final : public LocalEnergy {
 public:
  CollapsedSum(int zeta, const PowerBase& base, const Vector& weights, const Matrix& points) : zeta_(zeta) {
    const Matrix scaled = base.scale * points;
    linear_ = scaled.transpose() * weights * (zeta == 1 ? 1 : 2 * base.shift);
    constant_ = weights.sum() * (zeta == 1 ? base.shift : base.shift * base.shift);
    if (zeta == 2) form_ = scaled.transpose() * weights.asDiagonal() * scaled;
  }

  const char* form() const override { return zeta_ == 1 ? "linear" : "quadratic"; }

  void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* /*values*/) override {
    const Eigen::Index rows = x.rows();
    Eigen::Map<Vector> result(energy.data(), rows);
    result.noalias() = x * linear_;
    result.array() += constant_;
    if (zeta_ == 1) {
      if (gradient != nullptr) gradient->rowwise() = linear_.transpose();
      return;
    }
    product_.resize(rows, x.cols());
    MatrixSlice product = gradient != nullptr ? *gradient : MatrixSlice(product_.view());
    multiply_nn(x, form_, product);
    for (Eigen::Index e = 0; e < rows; ++e) energy[static_cast<std::size_t>(e)] += product.row(e).dot(x.row(e));
    if (gradient == nullptr) return;
    *gradient *= 2;
    gradient->rowwise() += linear_.transpose();
  }

 private:
  int zeta_;
  Vector linear_;
  double constant_;
  Matrix form_;
  ReusableMatrix product_;
};

/// κ = s^ζ, s = shift + scale x·x'.   ∂κ/∂x = scale ζ s^{ζ−1} x',   curvature scale² ζ(ζ−1) s^{ζ−2}
class PowerKernel final : public Kernel {
 public:
  PowerKernel(const Parameters& parameters, std::string name, double zeta, const PowerBase& base)
      : parameters_(parameters), name_(std::move(name)), zeta_(zeta), base_(base) {
    if (!(zeta_ >= 1 && zeta_ <= largest_zeta))
      throw InputError(fmt::format("{}: zeta is {}, expected a number from 1 to {}", name_, zeta_, largest_zeta));
    is_integer_ = zeta_ == std::floor(zeta_);
  }

  const Parameters& parameters() const override { return parameters_; }
  bool is_stationary() const override { return false; }
  Vector metric(int) const override { return {}; }

  void check_features(int size, bool has_nonnegative_products) const override {
    if (size < 1) throw InputError(fmt::format("{}: feature vectors have {} components, expected at least 1", name_, size));
    if (!is_integer_ && !has_nonnegative_products)
      throw InputError(
          fmt::format("{}: zeta = {} needs feature vectors whose products cannot be negative, which this descriptor does not "
                      "promise; use an integer zeta",
                      name_, zeta_));
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
      if (base_.scale != 1)
        for (Eigen::Index m = 0; m < cols; ++m) v[m] = base_.shift + base_.scale * v[m];
      double* d = slope != nullptr ? slope->data() + e * slope->outerStride() : nullptr;
      if (curvature != nullptr) {
        double* c = curvature->data() + e * curvature->outerStride();
        for (Eigen::Index m = 0; m < cols; ++m) c[m] = base_.scale * base_.scale * curvature_of(v[m]);
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
    if (zeta == 1 || (zeta == 2 && points.cols() <= 2 * points.rows())) return std::make_unique<CollapsedSum>(zeta, base_, weights, points);
    return make_power_sum({.zeta = zeta}, base_, weights, points);
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

  /// In: v = s. Out: v = s^ζ, d = scale ζ s^{ζ−1} (unless null).
  void integer_zeta(double* v, double* d, Eigen::Index n) const {
    const int zeta = static_cast<int>(zeta_);
    if (zeta == 1) {
      if (d != nullptr) std::fill(d, d + n, base_.scale);
      return;
    }
    const double factor = base_.scale * zeta;
    constexpr Eigen::Index block = 256;
    std::array<double, block> base, power;
    for (Eigen::Index start = 0; start < n; start += block, v += block) {
      const Eigen::Index length = std::min(block, n - start);
      std::copy(v, v + length, base.begin());
      integer_power(base.data(), zeta - 1, power.data(), length);
      if (d != nullptr)
        for (Eigen::Index i = 0; i < length; ++i) d[start + i] = factor * power[static_cast<std::size_t>(i)];
      for (Eigen::Index i = 0; i < length; ++i) v[i] *= power[static_cast<std::size_t>(i)];
    }
  }

  void real_zeta(double* v, double* d, Eigen::Index n) const {
    for (Eigen::Index i = 0; i < n; ++i) {
      const double s = v[i] < 0 ? 0 : v[i];  // rounding below 0 only; NaN stays NaN
      const double power = std::pow(s, zeta_ - 1);
      if (d != nullptr) d[i] = base_.scale * zeta_ * power;
      v[i] = s * power;
    }
  }

  Parameters parameters_;
  std::string name_;
  double zeta_;
  PowerBase base_;
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
  return {"dot_product", "(x . x')^zeta", {zeta}, [](const Parameters& parameters) {
            return std::make_shared<PowerKernel>(parameters, "dot_product", parameters.real("zeta"), PowerBase());
          }};
}

KernelKind polynomial_kind() {
  ParameterInfo zeta;
  zeta.name = "zeta";
  zeta.type = ParameterInfo::Type::integer;
  zeta.description = "exponent, an integer: with others the kernel is not positive semi-definite";
  zeta.default_value = std::int64_t{4};
  zeta.smallest = 1;
  zeta.largest = largest_zeta;
  ParameterInfo constant;
  constant.name = "constant";
  constant.description = "c: weight of low orders of the features against high ones";
  constant.default_value = 16.0;
  constant.smallest = 0;
  return {"polynomial", "((c + x . x')/(1 + c))^zeta", {zeta, constant}, [](const Parameters& parameters) {
            const double c = parameters.real("constant");
            if (!(c >= 0 && std::isfinite(c)))
              throw InputError(fmt::format("polynomial: constant is {}, expected a number of at least 0", c));
            return std::make_shared<PowerKernel>(parameters, "polynomial", static_cast<double>(parameters.integer("zeta")),
                                                 PowerBase{c / (1 + c), 1 / (1 + c)});
          }};
}

}  // namespace gapkit
