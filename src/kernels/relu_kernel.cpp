#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/neural_kernel.hpp"

namespace gapkit {
namespace {

// sin θ − θ cos θ, which cancels at small θ: Σ_n (−1)^{n+1} 2n/(2n+1)! θ^{2n+1}.
double sine_minus(double theta) {
  if (theta > 0.5) return std::sin(theta) - theta * std::cos(theta);
  const double t2 = theta * theta;
  double term = theta * t2 / 3, sum = term;
  for (int n = 2; n < 10; ++n) {
    term *= -t2 / ((2.0 * n + 1) * (2 * n - 2));
    sum += term;
  }
  return sum;
}

}  // namespace

// The angle of two close inputs is needed to full precision: its cosine would lose half of the digits. So the recursion carries
// √(QP) − C instead of C.
double relu_kernel(const NeuralNetwork& network, double factor, const double* x, const double* z, Eigen::Index size) {
  const double w = network.weight_variance, bias = network.bias_variance;
  double own = 0, other = 0, distance = 0, difference = 0;
  for (Eigen::Index d = 0; d < size; ++d) {
    own += x[d] * x[d];
    other += z[d] * z[d];
    distance += (x[d] - z[d]) * (x[d] - z[d]);
    difference += (x[d] - z[d]) * (x[d] + z[d]);
  }
  double q = factor * own + bias, p = factor * other + bias;
  const double roots = std::sqrt(q) + std::sqrt(p), root_difference = roots > 0 ? factor * difference / roots : 0;
  double gap = 0.5 * (factor * distance - root_difference * root_difference);  // √(QP) − C
  double tangent = std::sqrt(q * p) - gap;
  double c = tangent;
  for (int l = 0; l < network.depth; ++l) {
    const double root = std::sqrt(q * p), sine = root > 0 ? std::sqrt(std::max(gap, 0.0) / (2 * root)) : 0;
    const double theta = 2 * std::asin(std::min(sine, 1.0));
    const double lost = 2 * sine * sine - sine_minus(theta) / std::numbers::pi;  // 1 − F/(½√(QP))
    const double mean = 0.5 * w * root + bias, next_q = 0.5 * w * q + bias, next_p = 0.5 * w * p + bias;
    const double spread = std::sqrt(q) - std::sqrt(p), next_root = std::sqrt(next_q * next_p);
    const double beyond = next_root + mean > 0 ? 0.5 * w * bias * spread * spread / (next_root + mean) : 0;
    gap = beyond + 0.5 * w * root * lost;
    q = next_q;
    p = next_p;
    c = mean - 0.5 * w * root * lost;
    tangent = c + w * tangent * (std::numbers::pi - theta) / (2 * std::numbers::pi);
  }
  const double result = network.is_tangent ? tangent : c;
  return std::isnan(own + other) ? std::nan("") : result;
}

}  // namespace gapkit
