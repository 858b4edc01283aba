#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <numbers>

#include "kernel_kinds.hpp"
#include "kernels/neural_kernel.hpp"
#include "kernels/power_sum.hpp"

namespace gapkit {
namespace {

constexpr double largest_length = 1 + 1e-3;  // of points, for those that a file holds with few digits
constexpr int fewest_degree = 8, largest_degree = 64, degree_step = 4;

/// κ, κ' and κ'' of t = x·z for |x| = |z| = 1.
struct SphereValues {
  std::vector<double> value, slope, curvature;

  SphereValues(const NeuralNetwork& network, double factor, const std::vector<double>& t)
      : value(t.size()), slope(t.size()), curvature(t.size()) {
    const long count = static_cast<long>(t.size());
    const NeuralPoints points(network, factor, 1, count);
    std::vector<double> inner(t), unwanted(3 * t.size());
    for (double& number : inner) number *= factor;
    neural_loops().row(network, {&points.view(), 0, &points.view(), inner.data(), factor, value.data(), slope.data(), unwanted.data(),
                                 curvature.data(), &unwanted[t.size()], &unwanted[2 * t.size()]});
  }
};

std::vector<double> chebyshev_nodes(int count) {
  std::vector<double> u;
  for (int k = 0; k < count; ++k) u.push_back(std::cos(std::numbers::pi * (k + 0.5) / count));
  return u;
}

/// Coefficients of u^k of the polynomial through values at the Chebyshev nodes. In extended precision, because they grow with the degree.
std::vector<double> power_coefficients(const std::vector<double>& values) {
  const std::size_t n = values.size();
  std::vector<long double> result(n, 0), previous(n, 0), current(n, 0), next(n, 0);
  previous[0] = 1;            // T_0
  if (n > 1) current[1] = 1;  // T_1
  for (std::size_t j = 0; j < n; ++j) {
    long double c = 0;
    for (std::size_t k = 0; k < n; ++k)
      c += values[k] * std::cos(std::numbers::pi_v<long double> * static_cast<long double>(j) * (static_cast<long double>(k) + 0.5L) /
                                static_cast<long double>(n));
    c *= (j == 0 ? 1.0L : 2.0L) / static_cast<long double>(n);
    for (std::size_t k = 0; k < n; ++k) result[k] += c * previous[k];
    for (std::size_t k = 0; k < n; ++k) next[k] = (k > 0 ? 2 * current[k - 1] : 0) - previous[k];
    previous = current;
    current = next;
  }
  return {result.begin(), result.end()};
}

double series(const std::vector<double>& c, double u) {
  double sum = 0;
  for (std::size_t k = c.size(); k-- > 0;) sum = sum * u + c[k];
  return sum;
}

/// κ(x·z) by polynomials of u = shift + scale x·z, −1 ≤ u ≤ 1.   ∂κ/∂x = κ'(x·z) z,   curvature κ''
class SphereKernel final : public Kernel {
 public:
  SphereKernel(const Parameters& parameters, std::string name, const PowerBase& base, std::vector<double> value, std::vector<double> slope,
               std::vector<double> curvature)
      : parameters_(parameters),
        name_(std::move(name)),
        base_(base),
        value_(std::move(value)),
        slope_(std::move(slope)),
        curvature_(std::move(curvature)) {}

  const Parameters& parameters() const override { return parameters_; }
  bool is_stationary() const override { return false; }
  Vector metric(int) const override { return {}; }
  void check_features(int size, bool) const override {
    if (size < 1) throw InputError(fmt::format("{}: feature vectors have {} components, expected at least 1", name_, size));
  }

  void compute(const MatrixView& x, const MatrixView& z, const KernelParts& out) const override {
    check_kernel_shapes(x, z, out);
    check_lengths(z);
    MatrixSlice value = out.value;
    multiply_nt(x, z, value);
    const Eigen::Index rows = value.rows(), cols = value.cols();
    [[maybe_unused]] const bool threads = pays_to_start_threads(4 * static_cast<double>(rows * cols));
#pragma omp parallel for schedule(static) if (threads)
    for (Eigen::Index e = 0; e < rows; ++e) {
      double* v = value.data() + e * value.outerStride();
      if (out.inner != nullptr) std::copy(v, v + cols, out.inner->data() + e * out.inner->outerStride());
      for (Eigen::Index m = 0; m < cols; ++m) v[m] = base_.shift + base_.scale * v[m];
      if (out.slope != nullptr) apply(slope_, v, cols, out.slope->data() + e * out.slope->outerStride());
      if (out.curvature != nullptr) apply(curvature_, v, cols, out.curvature->data() + e * out.curvature->outerStride());
      apply(value_, v, cols, v);
    }
  }

  std::unique_ptr<LocalEnergy> compile(const Vector& weights, const Matrix& points, const Matrix& /*domain*/) const override {
    check_lengths(points);
    PowerForm form{0, value_, slope_};
    for (double& c : form.slopes) c /= base_.scale;
    return make_power_sum(form, base_, weights, points);
  }

 private:
  void check_lengths(const MatrixView& z) const {
    for (Eigen::Index m = 0; m < z.rows(); ++m)
      if (z.row(m).squaredNorm() > largest_length * largest_length)
        throw InputError(fmt::format("{}: sparse point {} has length {}, expected 1 as the features of this descriptor have", name_, m + 1,
                                     z.row(m).norm()));
  }

  static void apply(const std::vector<double>& c, const double* u, Eigen::Index count, double* result) {
    constexpr Eigen::Index block = 64;
    double sum[block];
    for (Eigen::Index first = 0; first < count; first += block) {
      const Eigen::Index n = std::min(block, count - first);
      std::fill(sum, sum + n, c.back());
      for (std::size_t k = c.size() - 1; k-- > 0;)
        for (Eigen::Index i = 0; i < n; ++i) sum[i] = sum[i] * u[first + i] + c[k];
      std::copy(sum, sum + n, result + first);
    }
  }

  Parameters parameters_;
  std::string name_;
  PowerBase base_;
  std::vector<double> value_, slope_, curvature_;  // coefficients of u^k
};

}  // namespace

std::shared_ptr<const Kernel> neural_kernel_on_sphere(const Parameters& parameters, const std::string& name, const NeuralNetwork& network,
                                                      double lowest) {
  const double factor = network.weight_variance * parameters.real("input_scale");
  const PowerBase base{-(1 + lowest) / (1 - lowest), 2 / (1 - lowest)};
  const auto values_at = [&](const std::vector<double>& u) {
    std::vector<double> t;
    for (const double number : u) t.push_back((number - base.shift) / base.scale);
    return SphereValues(network, factor, t);
  };
  const std::vector<double> places = chebyshev_nodes(3 * largest_degree + 1);  // between the nodes of every degree, and close to the ends
  const SphereValues expected = values_at(places);
  const auto is_accurate = [&](const std::vector<double>& c, const std::vector<double>& exact, double tolerance) {
    double scale = 0, error = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      scale = std::max(scale, std::abs(exact[i]));
      error = std::max(error, std::abs(series(c, places[i]) - exact[i]));
    }
    return error <= tolerance * scale;
  };
  for (int degree = fewest_degree; degree <= largest_degree; degree += degree_step) {
    const SphereValues at_nodes = values_at(chebyshev_nodes(degree + 1));
    auto value = power_coefficients(at_nodes.value), slope = power_coefficients(at_nodes.slope),
         curvature = power_coefficients(at_nodes.curvature);
    if (is_accurate(value, expected.value, sphere_tolerance) && is_accurate(slope, expected.slope, sphere_tolerance) &&
        is_accurate(curvature, expected.curvature, 100 * sphere_tolerance))
      return std::make_shared<SphereKernel>(parameters, name, base, std::move(value), std::move(slope), std::move(curvature));
  }
  return nullptr;
}

}  // namespace gapkit
