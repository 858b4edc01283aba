// Splines or the direct formula for the radial functions of SOAP: time and measured error of both.

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <gapkit/math/radial_basis.hpp>
#include <numbers>

#include "descriptors/soap_loops.hpp"
#include "setup.hpp"

namespace {

using namespace gapkit;
using namespace gapkit::bench;

/// The direct formula (methods.md, section 2) in double precision, value and derivative, as a program without splines would evaluate it for
/// each pair: one exponential and one recurrence for each Gaussian, then the product with T.
class DirectInDouble {
 public:
  DirectInDouble() : alpha_(0.5 / (atom_sigma * atom_sigma)) {
    using Extended = long double;
    using ExtendedMatrix = Eigen::Matrix<Extended, Eigen::Dynamic, Eigen::Dynamic>;
    const Extended alpha = alpha_, beta = 2 * alpha, reach = cutoff + atom_sigma * std::sqrt(20 * std::log(Extended(10)));
    ExtendedMatrix c(n_max, n_max), s(n_max, n_max);
    for (int a = 0; a < n_max; ++a) {
      centre_[a] = static_cast<double>(a * reach / n_max);
      for (int b = 0; b < n_max; ++b) {
        const Extended ra = a * reach / n_max, rb = b * reach / n_max, mean = (ra + rb) / 2;
        c(a, b) = std::exp(-alpha * (ra - rb) * (ra - rb));
        s(a, b) =
            std::exp(-alpha * (ra - rb) * (ra - rb) / 2) *
            ((mean * mean + 1 / (2 * beta)) * std::sqrt(std::numbers::pi_v<Extended> / beta) / 2 * std::erfc(-std::sqrt(beta) * mean) +
             mean / (2 * beta) * std::exp(-beta * mean * mean));
      }
    }
    const ExtendedMatrix lower = Eigen::LLT<ExtendedMatrix>(s).matrixL();
    transform_ = c.partialPivLu().solve(lower).cast<double>();
  }

  void compute(double r, double* value, double* derivative) const {
    double f[n_max][l_max + 2], d[n_max][l_max + 1];
    for (int a = 0; a < n_max; ++a) {
      const double ra = centre_[a], x = 2 * alpha_ * r * ra, gauss = std::exp(-alpha_ * (r - ra) * (r - ra));
      scaled_bessel(x, f[a]);
      for (double& v : f[a]) v *= gauss;
      for (int l = 0; l <= l_max; ++l)
        d[a][l] = -2 * alpha_ * r * f[a][l] + 2 * alpha_ * ra * ((l > 0 ? l * f[a][l - 1] : 0) + (l + 1) * f[a][l + 1]) / (2 * l + 1);
    }
    for (int l = 0; l <= l_max; ++l)
      for (int n = 0; n < n_max; ++n) {
        double v = 0, s = 0;
        for (int a = 0; a < n_max; ++a) {
          v += f[a][l] * transform_(a, n);
          s += d[a][l] * transform_(a, n);
        }
        value[l * n_max + n] = v;
        derivative[l * n_max + n] = s;
      }
  }

 private:
  static void scaled_bessel(double x, double* out) {
    std::fill(out, out + l_max + 2, 0.0);
    out[0] = x > 0 ? -std::expm1(-2 * x) / (2 * x) : 1;
    if (x == 0) return;
    double ratio = 0;
    for (int l = l_max + 20 + static_cast<int>(std::sqrt(40 * x)); l >= 1; --l) {
      ratio = 1 / ((2 * l + 1) / x + ratio);
      if (l <= l_max + 1) out[l] = ratio;
    }
    for (int l = 1; l <= l_max + 1; ++l) out[l] *= out[l - 1];
  }

  double alpha_;
  double centre_[n_max];
  Matrix transform_;
};

const RadialBasis& basis() {
  static const RadialBasis made(n_max, l_max, atom_sigma, cutoff);
  return made;
}

constexpr int points = 1000;
double distance(int i) {
  return 0.8 + (cutoff - 0.8) * (i % points + 0.37) / points;
}

/// Largest error of value and derivative relative to the largest value and derivative, against extended precision.
template <class F>
void measure_errors(benchmark::State& state, F&& compute) {
  const auto count = static_cast<std::size_t>(basis().count());
  std::vector<double> value(count), slope(count), exact(count), exact_slope(count);
  double scale = 0, slope_scale = 0, error = 0, slope_error = 0;
  for (int i = 0; i < points; ++i) {
    compute(distance(i), value.data(), slope.data());
    basis().compute_directly(distance(i), exact.data(), exact_slope.data(), nullptr);
    for (std::size_t k = 0; k < count; ++k) {
      scale = std::max(scale, std::abs(exact[k]));
      slope_scale = std::max(slope_scale, std::abs(exact_slope[k]));
      error = std::max(error, std::abs(value[k] - exact[k]));
      slope_error = std::max(slope_error, std::abs(slope[k] - exact_slope[k]));
    }
  }
  state.counters["value error"] = error / scale;
  state.counters["derivative error"] = slope_error / slope_scale;
}

template <class F>
void run(benchmark::State& state, F&& compute) {
  std::vector<double> value(static_cast<std::size_t>(basis().count())), slope(value.size());
  int i = 0;
  for (auto _ : state) {
    compute(distance(i++), value.data(), slope.data());
    benchmark::DoNotOptimize(value.data());
    benchmark::ClobberMemory();
  }
  set_rate(state, "pairs", 1);
  measure_errors(state, compute);
}

void radial_spline(benchmark::State& state) {
  run(state, [](double r, double* value, double* slope) { basis().compute(r, value, slope); });
}
BENCHMARK(radial_spline);

void radial_spline_vectorised(benchmark::State& state) {  // as in SOAP; cutoff function 1
  const SoapLoops& loops = soap_loops();
  run(state, [&](double r, double* value, double* slope) {
    const double per_spacing = 1 / basis().spacing();
    const int knot = std::min(static_cast<int>(r * per_spacing), basis().knot_count() - 2);
    double weight[6], derivative[6];
    quintic_hermite(r * per_spacing - knot, weight, derivative);
    for (double& d : derivative) d *= per_spacing;
    loops.radial(basis().table() + static_cast<std::ptrdiff_t>(knot) * 3 * basis().count(), weight, derivative, basis().count(), value,
                 slope);
  });
}
BENCHMARK(radial_spline_vectorised);

void radial_direct_double(benchmark::State& state) {
  const DirectInDouble direct;
  run(state, [&](double r, double* value, double* slope) { direct.compute(r, value, slope); });
}
BENCHMARK(radial_direct_double);

void radial_direct_extended(benchmark::State& state) {  // the reference itself: errors are 0
  run(state, [](double r, double* value, double* slope) { basis().compute_directly(r, value, slope, nullptr); });
}
BENCHMARK(radial_direct_extended);

void radial_tabulate(benchmark::State& state) {  // once for each descriptor
  for (auto _ : state) {
    RadialBasis fresh(n_max, l_max, atom_sigma, cutoff);
    benchmark::DoNotOptimize(fresh.table());
  }
}
BENCHMARK(radial_tabulate)->Unit(benchmark::kMillisecond);

}  // namespace
