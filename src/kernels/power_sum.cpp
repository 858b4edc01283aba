#include "kernels/power_sum.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/reusable_matrix.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "kernel_kinds.hpp"
#include "kernels/power_loops.hpp"

namespace gapkit {
namespace {

/// Points in the order of PowerLoops::evaluate().
class ArrangedPoints {
 public:
  ArrangedPoints(PowerForm form, double shift, const Vector& weights, const Matrix& points)
      : loops_(power_loops()), form_(std::move(form)) {
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
    view_ = {form_.zeta,
             shift,
             points.rows(),
             all / loops.group,
             features,
             weights_.data(),
             across_.data(),
             gradient_.data(),
             form_.values.data(),
             form_.slopes.data(),
             static_cast<int>(form_.values.size()) - 1};
  }
  ArrangedPoints(const ArrangedPoints&) = delete;
  ArrangedPoints& operator=(const ArrangedPoints&) = delete;

  const PowerPoints& view() const { return view_; }
  const PowerLoops& loops() const { return loops_; }  // of the instruction set that the order depends on

 private:
  static Eigen::Index whole(Eigen::Index count, Eigen::Index part) { return (count + part - 1) / part * part; }

  const PowerLoops& loops_;
  PowerForm form_;
  AlignedVector<double> weights_, across_, gradient_;
  PowerPoints view_ = {};
};

/// s = shift + X Zᵀ with points Z times the scale, ∂ε/∂X = (ζ w s^{ζ−1}) Z, in one pass over the points for a few rows at a
/// time.
class PowerSum final : public LocalEnergy {
 public:
  PowerSum(const PowerForm& form, const PowerBase& base, const Vector& weights, const Matrix& points)
      : points_(form, base.shift, weights, base.scale * points) {}

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

}  // namespace

std::unique_ptr<LocalEnergy> make_power_sum(const PowerForm& form, const PowerBase& base, const Vector& weights, const Matrix& points) {
  return std::make_unique<PowerSum>(form, base, weights, points);
}

}  // namespace gapkit
