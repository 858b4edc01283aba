#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/radial_basis.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>
#include <numbers>

namespace gapkit {
namespace {

using Extended = long double;
using ExtendedMatrix = Eigen::Matrix<Extended, Eigen::Dynamic, Eigen::Dynamic>;

constexpr int largest_reach = 100;  // cutoff / atom_sigma

// e^{−x} i_l(x) for l = 0 … l_max by downward recurrence of the ratios i_l / i_{l−1}, which is stable for every x ≥ 0.
void scaled_bessel(int l_max, Extended x, Extended* out) {
  std::fill(out, out + l_max + 1, Extended(0));
  if (x == 0) {
    out[0] = 1;
    return;
  }
  out[0] = -std::expm1(-2 * x) / (2 * x);
  const int start = l_max + 40 + static_cast<int>(std::sqrt(100 * x));
  Extended ratio = 0;
  for (int l = start; l >= 1; --l) {
    ratio = 1 / ((2 * l + 1) / x + ratio);  // i_l / i_{l−1}
    if (l <= l_max) out[l] = ratio;
  }
  for (int l = 1; l <= l_max; ++l) out[l] *= out[l - 1];
}

// ∫₀^∞ r² φ_a φ_b dr for Gaussians exp(−α(r−r_a)²)
Extended overlap(Extended alpha, Extended ra, Extended rb) {
  const Extended beta = 2 * alpha, mean = (ra + rb) / 2, gap = ra - rb;
  const Extended tail = std::exp(-beta * mean * mean);
  const Extended integral =
      (mean * mean + 1 / (2 * beta)) * std::sqrt(std::numbers::pi_v<Extended> / beta) / 2 * std::erfc(-std::sqrt(beta) * mean) +
      mean / (2 * beta) * tail;
  return std::exp(-alpha * gap * gap / 2) * integral;
}

// w = t^p with t = 1 − r/r_c, and its first two derivatives by r.
std::array<Extended, 3> distance_weight(Extended t, int p, Extended cutoff) {
  const auto power = [&](int n) { return n == 0 ? Extended(1) : std::pow(t, static_cast<Extended>(n)); };
  return {power(p), p > 0 ? -p * power(p - 1) / cutoff : 0, p > 1 ? p * (p - 1) * power(p - 2) / (cutoff * cutoff) : 0};
}

}  // namespace

RadialBasis::RadialBasis(int n_max, int l_max, double atom_sigma, double cutoff, int weight)
    : n_max_(n_max), l_max_(l_max), cutoff_(cutoff), weight_(weight) {
  if (n_max < 1) throw InputError("n_max is " + std::to_string(n_max) + ", expected at least 1");
  if (l_max < 0 || l_max > harmonics::largest_l)
    throw InputError("l_max is " + std::to_string(l_max) + ", expected 0 to " + std::to_string(harmonics::largest_l));
  if (!(atom_sigma > 0)) throw InputError("atom_sigma is " + std::to_string(atom_sigma) + " Å, expected more than 0");
  if (weight < 0) throw InputError("radial_weight is " + std::to_string(weight) + ", expected at least 0");
  if (!(cutoff > 0)) throw InputError("cutoff is " + std::to_string(cutoff) + " Å, expected more than 0");
  // With more, tables take gigabytes and minutes, and no n_max covers the cutoff with Gaussians this narrow.
  if (!(cutoff <= largest_reach * atom_sigma))
    throw InputError(
        fmt::format("cutoff is {} Å with an atom_sigma of {} Å, expected at most {} times atom_sigma", cutoff, atom_sigma, largest_reach));

  const Extended sigma = atom_sigma;
  alpha_ = 1 / (2 * sigma * sigma);
  const Extended reach = cutoff + sigma * std::sqrt(20 * std::log(Extended(10)));
  for (int a = 0; a < n_max; ++a) centres_.push_back(a * reach / n_max);

  ExtendedMatrix values(n_max, n_max), overlaps(n_max, n_max);
  for (int a = 0; a < n_max; ++a)
    for (int b = 0; b < n_max; ++b) {
      const Extended ra = centres_[static_cast<std::size_t>(a)], rb = centres_[static_cast<std::size_t>(b)];
      values(a, b) = std::exp(-alpha_ * (ra - rb) * (ra - rb));
      overlaps(a, b) = overlap(alpha_, ra, rb);
    }
  const Eigen::LLT<ExtendedMatrix> factor(overlaps);
  if (factor.info() != Eigen::Success)
    throw InputError("the " + std::to_string(n_max) + " radial Gaussians are linearly dependent; reduce n_max or atom_sigma");
  const ExtendedMatrix lower = factor.matrixL();
  const ExtendedMatrix transform = values.partialPivLu().solve(lower);
  for (int a = 0; a < n_max; ++a)
    for (int n = 0; n < n_max; ++n) transform_.push_back(transform(a, n));
  // For l ≥ 1, g_l = Σ_{a ≥ 1} f_l(a) T_a·: orthogonal to q = T⁻¹ e_0. H is the reflection that takes q to the last axis.
  Eigen::Matrix<Extended, Eigen::Dynamic, 1> axis = lower.triangularView<Eigen::Lower>().solve(values.col(0).eval());
  axis.normalize();
  if (axis[n_max - 1] > 0) axis = -axis;
  axis[n_max - 1] -= 1;
  const ExtendedMatrix reflection = ExtendedMatrix::Identity(n_max, n_max) - 2 / axis.squaredNorm() * axis * axis.transpose();
  rotation_ = reflection.cast<double>();
  higher_ = transform_;
  for (int n = 0; n < n_max; ++n) centre_.push_back(static_cast<double>(lower(0, n) / std::sqrt(4 * std::numbers::pi_v<Extended>)));

  // Coarse to fine: the error falls with the sixth power of the spacing.
  for (int intervals = static_cast<int>(std::ceil(cutoff / (0.12 * atom_sigma))) + 4;; intervals *= 2) {
    tabulate(intervals);
    if ((value_error_ < 1e-11 && derivative_error_ < 1e-9) || intervals > 8192) break;
  }
  if (!std::isfinite(value_error_) || !std::isfinite(derivative_error_)) throw NumericalError("soap: the radial functions are not finite");
}

RadialBasis RadialBasis::turned() const {
  RadialBasis result = *this;
  const auto n = static_cast<std::size_t>(n_max_);
  const auto turn = [&](auto* row) {
    std::vector<std::remove_reference_t<decltype(*row)>> sums(n, 0);
    for (std::size_t to = 0; to + 1 < n; ++to)  // the last one is zero
      for (std::size_t from = 0; from < n; ++from)
        sums[to] += row[from] * rotation_(static_cast<Eigen::Index>(from), static_cast<Eigen::Index>(to));
    std::copy(sums.begin(), sums.end(), row);
  };
  for (std::size_t a = 0; a < n; ++a) turn(&result.higher_[a * n]);
  for (std::size_t row = 0; row < 3 * static_cast<std::size_t>(knots_); ++row)
    for (std::size_t l = 1; l <= static_cast<std::size_t>(l_max_); ++l)
      turn(&result.table_[row * static_cast<std::size_t>(count()) + l * n]);
  return result;
}

void RadialBasis::compute_directly(double r, double* value, double* first, double* second) const {
  // F_l = exp(−α(r²+r_a²)) i_l(2α r r_a); with i_l' = [l i_{l−1} + (l+1) i_{l+1}]/(2l+1) derivatives are combinations of neighbours in l.
  const int top = l_max_ + 2;
  const Extended x = r;
  std::vector<Extended> f(static_cast<std::size_t>(top + 1)), d1(f.size()), d2(f.size()), bessel(f.size());
  const auto n = static_cast<std::size_t>(n_max_);
  std::vector<Extended> sums(3 * static_cast<std::size_t>(count()), 0);
  for (std::size_t a = 0; a < n; ++a) {
    const Extended ra = centres_[a];
    scaled_bessel(top, 2 * alpha_ * x * ra, bessel.data());
    const Extended gauss = std::exp(-alpha_ * (x - ra) * (x - ra));
    for (int l = 0; l <= top; ++l) f[static_cast<std::size_t>(l)] = gauss * bessel[static_cast<std::size_t>(l)];
    const auto neighbours = [&](const std::vector<Extended>& g, int l) {
      const auto i = static_cast<std::size_t>(l);
      return ((l > 0 ? l * g[i - 1] : 0) + (l + 1) * g[i + 1]) / (2 * l + 1);
    };
    for (int l = 0; l < top; ++l) {
      const auto i = static_cast<std::size_t>(l);
      d1[i] = -2 * alpha_ * x * f[i] + 2 * alpha_ * ra * neighbours(f, l);
    }
    for (int l = 0; l < top - 1; ++l) {
      const auto i = static_cast<std::size_t>(l);
      d2[i] = -2 * alpha_ * f[i] - 2 * alpha_ * x * d1[i] + 2 * alpha_ * ra * neighbours(d1, l);
    }
    for (std::size_t l = 0; l <= static_cast<std::size_t>(l_max_); ++l)
      for (std::size_t m = 0; m < n; ++m) {
        const Extended t = (l > 0 ? higher_ : transform_)[a * n + m];
        Extended* s = &sums[3 * (l * n + m)];
        s[0] += f[l] * t;
        s[1] += d1[l] * t;
        s[2] += d2[l] * t;
      }
  }
  const std::array<Extended, 3> w = distance_weight(1 - x / cutoff_, weight_, cutoff_);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count()); ++i) {
    const Extended* s = &sums[3 * i];
    if (value) value[i] = static_cast<double>(w[0] * s[0]);
    if (first) first[i] = static_cast<double>(w[0] * s[1] + w[1] * s[0]);
    if (second) second[i] = static_cast<double>(w[0] * s[2] + 2 * w[1] * s[1] + w[2] * s[0]);
  }
}

void RadialBasis::tabulate(int intervals) {
  knots_ = intervals + 1;
  spacing_ = cutoff_ / intervals;
  const auto n = static_cast<std::size_t>(count());
  table_.assign(static_cast<std::size_t>(knots_) * 3 * n + 8, 0.0);
  for (int k = 0; k < knots_; ++k) {
    double* row = &table_[static_cast<std::size_t>(k) * 3 * n];
    compute_directly(k * spacing_, row, row + n, row + 2 * n);
    for (std::size_t i = 0; i < n; ++i) {
      row[n + i] *= spacing_;
      row[2 * n + i] *= spacing_ * spacing_;
    }
  }
  std::vector<double> value(n), derivative(n), exact(n), exact_derivative(n);
  double value_scale = 0, derivative_scale = 0, value_worst = 0, derivative_worst = 0;
  const auto keep = [](double& worst, double difference) {  // keeps NaN, unlike std::max
    if (!std::isnan(worst) && !(std::abs(difference) <= worst)) worst = std::abs(difference);
  };
  for (int k = 0; k < intervals; ++k)
    for (const double t : {0.23, 0.5, 0.77}) {  // the error polynomials t³(1−t)³ and its derivative peak near these
      const double r = (k + t) * spacing_;
      compute(r, value.data(), derivative.data());
      compute_directly(r, exact.data(), exact_derivative.data(), nullptr);
      for (std::size_t i = 0; i < n; ++i) {
        value_scale = std::max(value_scale, std::abs(exact[i]));
        derivative_scale = std::max(derivative_scale, std::abs(exact_derivative[i]));
        keep(value_worst, value[i] - exact[i]);
        keep(derivative_worst, derivative[i] - exact_derivative[i]);
      }
    }
  value_error_ = value_worst / value_scale;
  derivative_error_ = derivative_worst / derivative_scale;
}

void RadialBasis::compute(double r, double* value, double* derivative) const {
  const int k = std::clamp(static_cast<int>(r / spacing_), 0, knots_ - 2);
  double w[6], d[6];
  quintic_hermite(r / spacing_ - k, w, d);
  const int n = count();
  const double* rows = table() + static_cast<std::ptrdiff_t>(k) * 3 * n;
  const double per_spacing = 1 / spacing_;
  for (int i = 0; i < n; ++i) {
    value[i] = 0;
    derivative[i] = 0;
    for (int j = 0; j < 6; ++j) {
      value[i] += w[j] * rows[j * n + i];
      derivative[i] += per_spacing * d[j] * rows[j * n + i];
    }
  }
}

}  // namespace gapkit
