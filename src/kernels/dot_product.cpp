#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/reusable_matrix.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "kernel_kinds.hpp"
#include "kernels/power_loops.hpp"

namespace gapkit {
namespace {

constexpr double largest_zeta = 1000;  // integer ζ must fit an int; used values are far below

/// s = shift + scale x·x': 0 and 1 without a constant, c/(1 + c) and 1/(1 + c) with it.
struct Base {
  double shift = 0, scale = 1;
};

/// Points in the order of PowerLoops::evaluate().
class ArrangedPoints {
 public:
  ArrangedPoints(int zeta, double shift, const Vector& weights, const Matrix& points) : loops_(power_loops()) {
    const PowerLoops& loops = loops_;
    const Eigen::Index features = points.cols(), stride = whole(features, loops.pack);
    const Eigen::Index all = whole(points.rows(), loops.group);
    weights_.assign(static_cast<std::size_t>(all), 0.0);
    std::copy(weights.begin(), weights.end(), weights_.begin());
    across_.assign(static_cast<std::size_t>(all * features), 0.0);
    gradient_.assign(static_cast<std::size_t>(all * stride), 0.0);
    for (Eigen::Index m = 0; m < points.rows(); ++m) {
      const Eigen::Index group = m / loops.group, in_group = m % loops.group;
      for (Eigen::Index d = 0; d < features; ++d) {
        const Eigen::Index first = d / loops.tile * loops.tile, width = std::min<Eigen::Index>(loops.tile, stride - first);
        across_[static_cast<std::size_t>((m / loops.tile * features + d) * loops.tile + m % loops.tile)] = points(m, d);
        gradient_[static_cast<std::size_t>((group * stride + first) * loops.group + in_group * width + d - first)] = points(m, d);
      }
    }
    view_ = {zeta, shift, points.rows(), all / loops.group, features, weights_.data(), across_.data(), gradient_.data()};
  }
  ArrangedPoints(const ArrangedPoints&) = delete;
  ArrangedPoints& operator=(const ArrangedPoints&) = delete;

  const PowerPoints& view() const { return view_; }
  const PowerLoops& loops() const { return loops_; }  // of the instruction set that the order depends on

 private:
  static Eigen::Index whole(Eigen::Index count, Eigen::Index part) { return (count + part - 1) / part * part; }

  const PowerLoops& loops_;
  AlignedVector<double> weights_, across_, gradient_;
  PowerPoints view_ = {};
};

/// Integer ζ: s = shift + X Zᵀ with points Z times the scale, ∂ε/∂X = (ζ w s^{ζ−1}) Z, in one pass over the points for a few rows at a
/// time.
class PowerSum final : public LocalEnergy {
 public:
  PowerSum(int zeta, const Base& base, const Vector& weights, const Matrix& points)
      : points_(zeta, base.shift, weights, base.scale * points) {}

  const char* form() const override { return "powers"; }
  bool gives_values() const override { return true; }

  void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* values) override {
    check_shapes(x, energy, gradient, values);
    const PowerLoops& loops = points_.loops();
    const PowerPoints& points = points_.view();
    const int rows = static_cast<int>(x.rows());
    constexpr double products_of_power = 32;  // that take as long as one power
    const double products = static_cast<double>(rows) * static_cast<double>(points.count) * static_cast<double>(points.features);
    const bool threads = pays_to_start_threads(products / products_of_power);
    const int workers = threads ? thread_count() : 1, share = (rows + workers - 1) / workers;
    // As many rows as possible at a time, but work for all threads
    const int block = std::clamp(share, 1, loops.rows);
    scratch_.resize(workers, loops.scratch(points));
#pragma omp parallel for schedule(static) num_threads(workers) if (threads)
    for (int first = 0; first < rows; first += block) {
      const auto row_of = [first](auto&& matrix) { return matrix.data() + first * matrix.outerStride(); };
      PowerRows part = {std::min(block, rows - first), row_of(x), x.outerStride(), &energy[static_cast<std::size_t>(first)]};
      if (gradient != nullptr) {
        part.gradient = row_of(*gradient);
        part.gradient_stride = gradient->outerStride();
      }
      if (values != nullptr) {
        part.values = row_of(*values);
        part.values_stride = values->outerStride();
      }
      loops.evaluate(points, part, scratch_.row(threads ? current_thread() : 0));
    }
  }

 private:
  void check_shapes(const MatrixView& x, std::span<double> energy, const MatrixSlice* gradient, const MatrixSlice* values) const {
    const auto fits = [&](const MatrixSlice* m, Eigen::Index cols) { return m == nullptr || (m->rows() == x.rows() && m->cols() == cols); };
    const PowerPoints& points = points_.view();
    if (x.cols() != points.features || static_cast<Eigen::Index>(energy.size()) < x.rows() || !fits(gradient, points.features) ||
        !fits(values, points.count))
      throw Error("PowerSum: shapes disagree");
  }

  ArrangedPoints points_;
  ReusableMatrix scratch_;
};

/// With points z times the scale, ζ = 1: ε = x·g + constant with g = Σ_m w_m z_m.   ζ = 2: ε = x·A x + x·g + constant with A =
/// Σ_m w_m z_m z_mᵀ, g = 2 shift Σ_m w_m z_m. The cost does not depend on M.
class CollapsedSum final : public LocalEnergy {
 public:
  CollapsedSum(int zeta, const Base& base, const Vector& weights, const Matrix& points) : zeta_(zeta) {
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
  PowerKernel(const Parameters& parameters, std::string name, double zeta, const Base& base)
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
    return std::make_unique<PowerSum>(zeta, base_, weights, points);
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
  Base base_;
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
            return std::make_shared<PowerKernel>(parameters, "dot_product", parameters.real("zeta"), Base());
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
                                                 Base{c / (1 + c), 1 / (1 + c)});
          }};
}

}  // namespace gapkit
