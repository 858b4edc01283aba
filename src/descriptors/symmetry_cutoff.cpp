// Cutoff functions of Behler and Parrinello, Phys. Rev. Lett. 98, 146401 (2007), Behler, J. Chem. Phys. 134, 074106 (2011), and Singraber
// et al., J. Chem. Theory Comput. 15, 1827 (2019).

#include "descriptors/symmetry_cutoff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <numbers>

namespace gapkit {
namespace {

const char* const cutoff_names[] = {"hard", "cos", "tanhu", "tanh", "exp", "poly1", "poly2", "poly3", "poly4"};

// Value and slope of 1 + p(x), p(x) = xⁿ (c₀ + c₁ x + …) with n coefficients. All digits next to the cutoff: 1 + p(x) = −p(1 − x).
template <std::size_t N>
SymmetryCutoff::Value polynomial(const double (&c)[N], double x) {
  const bool is_near = x > 0.5;
  const double y = is_near ? 1 - x : x;
  double sum = 0, slope = 0;
  for (std::size_t k = N; k-- > 0;) {
    slope = slope * y + sum;
    sum = sum * y + c[k];
  }
  double power = 1;  // yⁿ⁻¹
  for (std::size_t k = 1; k < N; ++k) power *= y;
  const double p = power * y * sum;
  return {is_near ? -p : 1 + p, power * (static_cast<double>(N) * sum + y * slope)};
}

}  // namespace

SymmetryCutoff::SymmetryCutoff(const std::string& name, double alpha) : kind_(), alpha_(alpha) {
  const auto* const found = std::find(std::begin(cutoff_names), std::end(cutoff_names), name);
  if (found == std::end(cutoff_names))
    throw InputError(fmt::format("symmetry_functions: cutoff_function is '{}'{}", name, suggestion(name, names())));
  kind_ = static_cast<Kind>(found - std::begin(cutoff_names));
  if (!(alpha >= 0 && alpha < 1)) throw InputError(fmt::format("symmetry_functions: cutoff_alpha is {}, expected 0 ≤ α < 1", alpha));
  if (alpha > 0 && (kind_ == Kind::hard || kind_ == Kind::tanh || kind_ == Kind::tanhu))
    throw InputError(
        fmt::format("symmetry_functions: cutoff_alpha = {} does not go with cutoff_function = \"{}\", which has no flat part "
                    "of its own; leave cutoff_alpha out",
                    alpha, name));
}

std::vector<std::string> SymmetryCutoff::names() {
  return {std::begin(cutoff_names), std::end(cutoff_names)};
}

SymmetryCutoff::Value SymmetryCutoff::at(double distance, double cutoff) const {
  if (!(distance < cutoff)) return {0, 0};
  if (kind_ == Kind::hard) return {1, 0};
  if (kind_ == Kind::tanh || kind_ == Kind::tanhu) {
    const double t = std::tanh(1 - distance / cutoff), one = std::tanh(1.0);
    const double scale = kind_ == Kind::tanh ? 1 / (one * one * one) : 1;
    return {scale * t * t * t, -3 * scale * t * t * (1 - t * t) / cutoff};
  }
  const double inner = alpha_ * cutoff, width = cutoff - inner, x = (distance - inner) / width;
  if (x <= 0) return {1, 0};
  Value by_x{};
  switch (kind_) {
    case Kind::cos:
      by_x = {0.5 * (std::cos(std::numbers::pi * x) + 1), -0.5 * std::numbers::pi * std::sin(std::numbers::pi * x)};
      break;
    case Kind::exp: {
      const double inverse = 1 / (1 - x * x), value = std::exp(1 - inverse);
      by_x = {value, value > 0 ? -2 * x * inverse * inverse * value : 0};  // next to the cutoff: 0 · ∞
      break;
    }
    case Kind::poly1:
      by_x = polynomial({-3, 2}, x);
      break;
    case Kind::poly2:
      by_x = polynomial({-10, 15, -6}, x);
      break;
    case Kind::poly3:
      by_x = polynomial({-35, 84, -70, 20}, x);
      break;
    default:
      by_x = polynomial({-126, 420, -540, 315, -70}, x);
      break;
  }
  return {by_x.value, by_x.slope / width};
}

}  // namespace gapkit
