#pragma once

#include <gapkit/kernels/kernel.hpp>

namespace gapkit {

/// s = shift + scale x·x': 0 and 1 without a constant, c/(1 + c) and 1/(1 + c) with it.
struct PowerBase {
  double shift = 0, scale = 1;
};

/// A function of s: s^ζ, or for ζ = 0 the series Σ_k values[k] s^k with the slope Σ_k slopes[k] s^k.
struct PowerForm {
  int zeta = 0;
  std::vector<double> values = {}, slopes = {};  ///< of equal size
};

/// ε(x) = Σ_m w_m κ(s_m) and its gradient in one pass over the points for a few rows at a time.
std::unique_ptr<LocalEnergy> make_power_sum(const PowerForm& form, const PowerBase& base, const Vector& weights, const Matrix& points);

}  // namespace gapkit
