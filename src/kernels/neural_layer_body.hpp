// Included by neural_loops_body.hpp. Everything has internal linkage.

#include "kernels/neural_loops.hpp"

namespace gapkit {
namespace {

#define GAPKIT_INLINE inline __attribute__((always_inline))

constexpr double pi = 3.14159265358979323846;

/// The covariance C of two inputs of a layer, and what depends on one of them: Q and P, 1/a and 1/b, √(1/a) and √(1/b), where a = 1 + Q,
/// b = 1 + P for gelu, a = 1 + 2Q, b = 1 + 2P for erf.
struct LayerInput {
  double c, q, p, i, k, root_i, root_k;
};

/// F = E[φ(u)φ(v)], D = E[φ'(u)φ'(v)] = ∂F/∂C and their derivatives by C, Q, P. Those after d_q are second-order: filled on request.
struct LayerOutput {
  double f, d, f_q, d_c, d_q, f_p, d_p, d_cc, d_cq, d_cp, d_qp, f_qp;
};

// asin(r), |r| ≤ 1: y Σ_n c_n y²ⁿ for |y| ≤ ½ (error 1e-18), and asin(r) = π/2 − 2 asin(√((1−r)/2)) above.
GAPKIT_INLINE double arc_sine(double r) {
  const double size = r < 0 ? -r : r;
  const bool is_large = size > 0.5;
  const double half = 0.5 * (1 - size);
  const double z = is_large ? (half < 0 ? 0 : half) : size * size;
  const double y = is_large ? __builtin_sqrt(z) : size;
  double sum = 0.032579347966928419977;
  sum = sum * z - 0.020930658315182449668;
  sum = sum * z + 0.02166805886905635856;
  sum = sum * z + 0.0037180577483250539143;
  sum = sum * z + 0.010778675120995992488;
  sum = sum * z + 0.011398850408440755826;
  sum = sum * z + 0.013980882992171009717;
  sum = sum * z + 0.017351600625343434802;
  sum = sum * z + 0.022372216106072146375;
  sum = sum * z + 0.030381942642327186119;
  sum = sum * z + 0.044642857176863219311;
  sum = sum * z + 0.074999999999666105963;
  sum = sum * z + 0.16666666666666795465;
  sum = sum * z + 1;
  const double part = y * sum, result = is_large ? pi / 2 - 2 * part : part;
  return r < 0 ? -result : result;
}

// F = CB + A R, R = QP − C² (1 − 1/a − 1/b), D = B + CA S, S = 1/a + 1/b + 1/Δ, with Δ = ab − C², A = 1/(2π√Δ), B = ¼ + asin(C/√(ab))/2π.
// ∂A/∂C = ACg, ∂A/∂Q = −½Abg, ∂B/∂C = A, ∂B/∂Q = −½AC/a with g = 1/Δ; e = ab g = 1 + C²g.
template <int Order>
GAPKIT_INLINE void gelu_layer(const LayerInput& in, LayerOutput& out) {
  const double c = in.c, q = in.q, p = in.p, i = in.i, k = in.k, a = 1 + q, b = 1 + p;
  const double c2 = c * c, g = 1 / (a * b - c2);
  const double A = __builtin_sqrt(g) * (1 / (2 * pi)), B = 0.25 + arc_sine(c * in.root_i * in.root_k) * (1 / (2 * pi));
  const double s = i + k + g, r = q * p - c2 * (1 - i - k);
  out.f = c * B + A * r;
  out.d = B + c * A * s;
  if constexpr (Order >= 1) {
    const double e = 1 + c2 * g, phi = p - c2 * i * (0.5 + i) - 0.5 * b * g * r;
    const double bracket = 1 + s * e + 2 * c2 * g * g, h = -(0.5 * i + i * i + b * g * (0.5 * s + g));
    out.f_q = A * phi;
    out.d_c = A * bracket;
    out.d_q = c * A * h;
    if constexpr (Order == 2) {
      const double other_phi = q - c2 * k * (0.5 + k) - 0.5 * a * g * r, other_h = -(0.5 * k + k * k + a * g * (0.5 * s + g));
      const double h_p = -(0.5 * g * (s * (1 - e) - k - e * g) + g * g * (1 - 2 * e));
      const double phi_p = 1 - 0.5 * g * (r * (1 - e) + b * (q - c2 * k * k));
      out.f_p = A * other_phi;
      out.d_p = c * A * other_h;
      out.d_cc = c * A * (g * bracket + 2 * g * (g * e + s * e + 2 * g + 4 * c2 * g * g));
      out.d_cq = A * (h * e - c2 * b * g * g * (s + 5 * g));
      out.d_cp = A * (other_h * e - c2 * a * g * g * (s + 5 * g));
      out.d_qp = c * A * (h_p - 0.5 * a * g * h);
      out.f_qp = A * (phi_p - 0.5 * a * g * phi);
    }
  }
}

// F = (2/π) asin(2C/√(ab)), D = (4/π)/√Δ, Δ = ab − 4C².
template <int Order>
GAPKIT_INLINE void erf_layer(const LayerInput& in, LayerOutput& out) {
  const double c = in.c, a = 1 + 2 * in.q, b = 1 + 2 * in.p;
  const double g = 1 / (a * b - 4 * c * c), d = __builtin_sqrt(g) * (4 / pi);
  out.f = arc_sine(2 * c * in.root_i * in.root_k) * (2 / pi);
  out.d = d;
  if constexpr (Order >= 1) {
    out.f_q = -d * c * in.i;
    out.d_c = 4 * c * g * d;
    out.d_q = -b * g * d;
    if constexpr (Order == 2) {
      out.f_p = -d * c * in.k;
      out.d_p = -a * g * d;
      out.d_cc = d * g * (4 + 48 * c * c * g);
      out.d_cq = -12 * c * b * g * g * d;
      out.d_cp = -12 * c * a * g * g * d;
      out.d_qp = d * g * (3 * a * b * g - 2);
      out.f_qp = c * g * d;
    }
  }
}

template <NeuralNetwork::Activation Activation, int Order>
GAPKIT_INLINE void layer(const LayerInput& in, LayerOutput& out) {
  if constexpr (Activation == NeuralNetwork::Activation::erf)
    erf_layer<Order>(in, out);
  else
    gelu_layer<Order>(in, out);
}

}  // namespace
}  // namespace gapkit
