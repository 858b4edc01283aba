#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/kernels/local_energy.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/radial_basis.hpp>

namespace gapkit {
namespace {

/// Any kernel: values and slopes of all points, then one product with the points.
class KernelSum final : public LocalEnergy {
 public:
  KernelSum(const Kernel& kernel, const Vector& weights, const Matrix& points)
      : kernel_(kernel), weights_(weights), points_(points), metric_(kernel.metric(static_cast<int>(points.cols()))) {
    gradient_points_ = metric_.size() > 0 ? Matrix(points * metric_.asDiagonal()) : points;
  }

  const char* form() const override { return "sum"; }

  void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* /*values*/) override {
    value_.resize(x.rows(), points_.rows());
    Eigen::Map<Vector> result(energy.data(), x.rows());
    if (gradient == nullptr) {
      kernel_.compute(x, points_, value_.view());
      result.noalias() = value_.view() * weights_;
      return;
    }
    slope_.resize(x.rows(), points_.rows());
    MatrixSlice slope = slope_.view();
    const bool has_own_slope = kernel_.has_own_slope();
    if (has_own_slope) own_slope_.resize(x.rows(), points_.rows());
    MatrixSlice own_slope = own_slope_.view();
    kernel_.compute(x, points_, {.value = value_.view(), .slope = &slope, .own_slope = has_own_slope ? &own_slope : nullptr});
    result.noalias() = value_.view() * weights_;
    // ∂ε/∂x = Σ_m w_m [slope_m (Λ z_m − h Λ x) + own_slope_m Λ x]
    slope.array().rowwise() *= weights_.transpose().array();
    multiply_nn(slope, gradient_points_, *gradient);
    if (!kernel_.is_stationary() && !has_own_slope) return;
    const Vector sums = has_own_slope ? Vector(-(own_slope * weights_)) : Vector(slope.rowwise().sum());
    if (metric_.size() > 0)
      gradient->noalias() -= sums.asDiagonal() * x * metric_.asDiagonal();
    else
      gradient->noalias() -= sums.asDiagonal() * x;
  }

 private:
  const Kernel& kernel_;
  Vector weights_;
  Matrix points_;
  Vector metric_;
  Matrix gradient_points_;
  ReusableMatrix value_, slope_, own_slope_;
};

class Spline final : public LocalEnergy {
 public:
  static constexpr int fewest = 256, most = 1 << 14;  // intervals
  static constexpr double value_tolerance = 1e-12, slope_tolerance = 1e-11;

  Spline(std::unique_ptr<LocalEnergy> direct, double low, double high, const std::function<double(double)>& second)
      : direct_(std::move(direct)), low_(low), high_(high) {
    for (intervals_ = fewest; intervals_ <= most; intervals_ *= 2) {
      tabulate(second);
      if (is_accurate()) return;
    }
    intervals_ = 0;
  }

  const char* form() const override { return intervals_ > 0 ? "spline" : direct_->form(); }

  void compute(const MatrixView& x, std::span<double> energy, MatrixSlice* gradient, MatrixSlice* /*values*/) override {
    if (intervals_ == 0) return direct_->compute(x, energy, gradient);
    for (Eigen::Index e = 0; e < x.rows(); ++e) {
      const double place = x(e, 0);
      double slope = 0;
      if (place >= low_ && place <= high_)
        evaluate(place, energy[static_cast<std::size_t>(e)], slope);
      else
        evaluate_directly(place, energy[static_cast<std::size_t>(e)], slope);
      if (gradient != nullptr) (*gradient)(e, 0) = slope;
    }
  }

 private:
  void evaluate(double x, double& value, double& slope) const {
    const double t = (x - low_) * per_spacing_;
    const int knot = std::min(static_cast<int>(t), intervals_ - 1);
    double weight[6], derivative[6];
    quintic_hermite(t - knot, weight, derivative);
    const double* row = &table_[3 * static_cast<std::size_t>(knot)];
    value = slope = 0;
    for (int j = 0; j < 6; ++j) {
      value += weight[j] * row[j];
      slope += derivative[j] * row[j];
    }
    slope *= per_spacing_;
  }

  void evaluate_directly(double x, double& value, double& slope) {
    const Matrix feature = Matrix::Constant(1, 1, x);
    Matrix gradient(1, 1);
    MatrixSlice view = gradient;
    direct_->compute(feature, {&value, 1}, &view);
    slope = gradient(0, 0);
  }

  // visit(i, x, value, slope) for x_i = place(i), i = 0 … count−1, until it returns false; in blocks, with one kernel call for many points.
  template <class Place, class Visit>
  void evaluate_all_directly(int count, const Place& place, const Visit& visit) {
    constexpr int block = 512;
    Matrix x, slope;
    std::vector<double> value;
    for (int first = 0; first < count; first += block) {
      const int size = std::min(block, count - first);
      x.resize(size, 1);
      slope.resize(size, 1);
      value.resize(static_cast<std::size_t>(size));
      for (int i = 0; i < size; ++i) x(i, 0) = place(first + i);
      MatrixSlice gradient = slope;
      direct_->compute(x, value, &gradient);
      for (int i = 0; i < size; ++i)
        if (!visit(first + i, x(i, 0), value[static_cast<std::size_t>(i)], slope(i, 0))) return;
    }
  }

  void tabulate(const std::function<double(double)>& second) {
    const double spacing = (high_ - low_) / intervals_;
    per_spacing_ = 1 / spacing;
    const std::vector<double> coarse = std::move(table_);  // of half as many intervals, or empty
    table_.assign(3 * (static_cast<std::size_t>(intervals_) + 1), 0.0);
    for (std::size_t k = 0; 3 * k < coarse.size(); ++k) {
      table_[6 * k] = coarse[3 * k];
      table_[6 * k + 1] = coarse[3 * k + 1] / 2;
      table_[6 * k + 2] = coarse[3 * k + 2] / 4;
    }
    const int stride = coarse.empty() ? 1 : 2, begin = stride - 1, count = coarse.empty() ? intervals_ + 1 : intervals_ / 2;
    const auto place = [&](int i) { return low_ + (begin + stride * i) * spacing; };
    evaluate_all_directly(count, place, [&](int i, double x, double value, double slope) {
      double* row = &table_[3 * static_cast<std::size_t>(begin + stride * i)];
      row[0] = value;
      row[1] = slope * spacing;
      row[2] = second(x) * spacing * spacing;
      return true;
    });
  }

  bool is_accurate() {
    constexpr double between[3] = {0.23, 0.5, 0.77};  // the error polynomials t³(1−t)³ and its derivative peak near these
    double value_scale = 0, slope_scale = 0;
    for (std::size_t k = 0; k < table_.size(); k += 3) {
      value_scale = std::max(value_scale, std::abs(table_[k]));
      slope_scale = std::max(slope_scale, std::abs(table_[k + 1]) * per_spacing_);
    }
    bool result = true;
    const auto place = [&](int i) { return low_ + (i / 3 + between[i % 3]) / per_spacing_; };
    evaluate_all_directly(3 * intervals_, place, [&](int, double x, double exact, double exact_slope) {
      double value = 0, slope = 0;
      evaluate(x, value, slope);
      result = std::abs(value - exact) <= value_tolerance * value_scale && std::abs(slope - exact_slope) <= slope_tolerance * slope_scale;
      return result;
    });
    return result;
  }

  std::unique_ptr<LocalEnergy> direct_;
  double low_, high_, per_spacing_ = 0;
  int intervals_ = 0;
  std::vector<double> table_;  // at each knot: ε, h ε', h² ε''
};

}  // namespace

std::unique_ptr<LocalEnergy> make_spline(std::unique_ptr<LocalEnergy> direct, double low, double high,
                                         const std::function<double(double)>& second) {
  if (!(high > low) || !std::isfinite(high - low)) throw Error("make_spline: the interval is empty or not finite");
  return std::make_unique<Spline>(std::move(direct), low, high, second);
}

std::unique_ptr<LocalEnergy> Kernel::compile(const Vector& weights, const Matrix& points, const Matrix& domain) const {
  auto sum = std::make_unique<KernelSum>(*this, weights, points);
  if (points.cols() != 1 || domain.rows() < 2 || domain.cols() != 1 || !is_stationary() || !is_smooth()) return sum;
  const double lambda = metric(1)[0];
  // κ depends on x − z only, so that κ_xx = −κ_xz = curvature Λ² (x − z)² − slope Λ.
  Matrix feature(1, 1), value(1, points.rows()), slope(1, points.rows()), curvature(1, points.rows());
  const auto second = [&](double x) {
    feature(0, 0) = x;
    MatrixSlice slope_view = slope, curvature_view = curvature;
    compute(feature, points, value, &slope_view, nullptr, &curvature_view);
    double result = 0;
    for (Eigen::Index m = 0; m < points.rows(); ++m) {
      const double step = lambda * (x - points(m, 0));
      result += weights[m] * (curvature(0, m) * step * step - slope(0, m) * lambda);
    }
    return result;
  };
  return make_spline(std::move(sum), domain.minCoeff(), domain.maxCoeff(), second);
}

}  // namespace gapkit
