#include "potentials/reciprocal_kernel.hpp"

#include <cmath>
#include <numbers>

namespace gapkit {
namespace {

constexpr double four_pi = 4 * std::numbers::pi;
constexpr double largest_argument = 700;  // Bessel functions K are below 1e-304 beyond

double bessel_k(int order, double x) {
  return x < largest_argument ? std::cyl_bessel_k(order, x) : 0;
}

}  // namespace

KernelWeight ReciprocalKernel::bare(double along, double across) const {
  const double square = along * along + across * across, range = plan_.range;
  if (plan_.periodic == 3) return {four_pi / square, -2 * four_pi / (square * square)};
  if (plan_.periodic == 2) {
    const double cut = std::exp(-along * range) * std::cos(across * range), value = four_pi / square * (1 - cut);
    return {value, -2 * value / square + (along > 0 ? four_pi / square * range * cut / along : 0)};
  }
  const double j0 = ::j0(across * range), j1 = ::j1(across * range);
  if (!(along > 0)) return {four_pi / square * (1 - j0 - across * range * std::log(range) * j1), 0};
  const double k0 = bessel_k(0, along * range), k1 = bessel_k(1, along * range);
  const double value = four_pi / square * (1 + across * range * j1 * k0 - along * range * j0 * k1);
  return {value, -2 * value / square + four_pi / square * range * (range * j0 * k0 - across * range * j1 * k1 / along)};
}

KernelWeight ReciprocalKernel::operator()(double along, double across) const {
  const double range = plan_.range;
  if (!(along > 0) && !(across > 0)) {
    if (plan_.periodic == 2) return {-2 * std::numbers::pi * range * range, 0};
    if (plan_.periodic == 1) return {-std::numbers::pi * range * range * (2 * std::log(range) - 1), 0};
    return {};
  }
  const double alpha2 = plan_.alpha * plan_.alpha, gaussian = std::exp(-(along * along + across * across) / (4 * alpha2));
  const KernelWeight weight = bare(along, across);
  if (!(along > 0)) return {weight.value * gaussian, 0};
  return {weight.value * gaussian, (weight.slope - weight.value / (2 * alpha2)) * gaussian};
}

}  // namespace gapkit
