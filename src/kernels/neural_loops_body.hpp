// Included by neural_loops_*.cpp, each compiled for its own instruction set; no headers with inline functions here.

#include "kernels/neural_layer_body.hpp"

namespace gapkit {
namespace {

constexpr int block_points = 64;  // whose numbers stay in the first-level cache

/// C and T of some points, and their derivatives by c = x·z, q = |x|², p = |z|².
struct Covariances {
  double v[block_points], c[block_points], q[block_points];
  double p[block_points], cc[block_points], qc[block_points], qp[block_points];
};

template <NeuralNetwork::Activation Activation>
void fill_diagonal(const NeuralNetwork& network, const NeuralDiagonal& points) {
  constexpr double in_reciprocal = Activation == NeuralNetwork::Activation::erf ? 2 : 1;
  for (int l = 0; l < network.depth; ++l) {
    double* __restrict square = points.square + l * points.stride;
    double* __restrict slope = points.slope + l * points.stride;
    double* __restrict reciprocal = points.reciprocal + l * points.stride;
    double* __restrict root = points.root + l * points.stride;
    for (long m = 0; m < points.count; ++m) {
      reciprocal[m] = 1 / (1 + in_reciprocal * square[m]);
      root[m] = __builtin_sqrt(reciprocal[m]);
    }
    if (l + 1 == network.depth) return;
    double* __restrict next = square + points.stride;
    double* __restrict next_slope = slope + points.stride;
    for (long m = 0; m < points.count; ++m) {
      LayerOutput out;
      layer<Activation, 1>({square[m], square[m], square[m], reciprocal[m], reciprocal[m], root[m], root[m]}, out);
      next[m] = network.weight_variance * out.f + network.bias_variance;
      next_slope[m] = network.weight_variance * (out.d + 2 * out.f_q) * slope[m];
    }
  }
}

// C and T of the next layer. Own numbers: Q, its slope, 1/a and √(1/a) of x.
template <NeuralNetwork::Activation Activation, int Order>
void next_layer(const NeuralNetwork& network, const double (&own)[4], const NeuralDiagonal& points, long first, int count,
                Covariances& __restrict C, Covariances& __restrict T) {
  const double w = network.weight_variance, bias = network.bias_variance, q = own[0], q_slope = own[1], i = own[2], root_i = own[3];
  const double* __restrict square = points.square + first;
  const double* __restrict p_slopes = points.slope + first;
  const double* __restrict reciprocal = points.reciprocal + first;
  const double* __restrict root = points.root + first;
  for (int m = 0; m < count; ++m) {
    LayerOutput out;
    layer<Activation, Order>({C.v[m], q, square[m], i, reciprocal[m], root_i, root[m]}, out);
    const double v = w * out.f + bias, t = T.v[m];
    if constexpr (Order >= 1) {
      const double c_c = C.c[m], c_q = C.q[m], t_c = T.c[m], t_q = T.q[m];
      const double left_c = out.d_c * c_c, left_q = out.d_c * c_q + out.d_q * q_slope;  // of D
      if constexpr (Order == 2) {
        const double p_slope = p_slopes[m], c_p = C.p[m], t_p = T.p[m];
        const double right_p = out.d_c * c_p + out.d_p * p_slope;
        const double d_cc = out.d_cc * c_c * c_c + out.d_c * C.cc[m];
        const double d_qc = (out.d_cc * c_q + out.d_cq * q_slope) * c_c + out.d_c * C.qc[m];
        const double d_qp =
            (out.d_cc * c_q + out.d_cq * q_slope) * c_p + (out.d_cp * c_q + out.d_qp * q_slope) * p_slope + out.d_c * C.qp[m];
        const double v_cc = w * (left_c * c_c + out.d * C.cc[m]);
        const double v_qc = w * (left_q * c_c + out.d * C.qc[m]);
        const double v_qp = w * (left_q * c_p + (out.d_p * c_q + out.f_qp * q_slope) * p_slope + out.d * C.qp[m]);
        T.cc[m] = v_cc + w * (T.cc[m] * out.d + 2 * t_c * left_c + t * d_cc);
        T.qc[m] = v_qc + w * (T.qc[m] * out.d + t_q * left_c + t_c * left_q + t * d_qc);
        T.qp[m] = v_qp + w * (T.qp[m] * out.d + t_q * right_p + t_p * left_q + t * d_qp);
        C.cc[m] = v_cc;
        C.qc[m] = v_qc;
        C.qp[m] = v_qp;
        const double v_p = w * (out.d * c_p + out.f_p * p_slope);
        T.p[m] = v_p + w * (t_p * out.d + t * right_p);
        C.p[m] = v_p;
      }
      const double v_c = w * out.d * c_c, v_q = w * (out.d * c_q + out.f_q * q_slope);
      T.c[m] = v_c + w * (t_c * out.d + t * left_c);
      T.q[m] = v_q + w * (t_q * out.d + t * left_q);
      C.c[m] = v_c;
      C.q[m] = v_q;
    }
    T.v[m] = v + w * t * out.d;
    C.v[m] = v;
  }
}

template <NeuralNetwork::Activation Activation, int Order>
void block_row(const NeuralNetwork& network, const NeuralRow& row, long first, int count) {
  Covariances C, T;
  for (int m = 0; m < count; ++m) {
    C.v[m] = T.v[m] = row.inner[first + m] + network.bias_variance;
    if constexpr (Order >= 1) {
      C.c[m] = T.c[m] = row.factor;
      C.q[m] = T.q[m] = 0;
    }
    if constexpr (Order == 2) C.p[m] = T.p[m] = C.cc[m] = T.cc[m] = C.qc[m] = T.qc[m] = C.qp[m] = T.qp[m] = 0;
  }
  for (int l = 0; l < network.depth; ++l) {
    const long at = l * row.own->stride + row.place;
    const double own[4] = {row.own->square[at], row.own->slope[at], row.own->reciprocal[at], row.own->root[at]};
    next_layer<Activation, Order>(network, own, *row.points, l * row.points->stride + first, count, C, T);
  }
  const Covariances& result = network.is_tangent ? T : C;
  for (int m = 0; m < count; ++m) row.value[first + m] = result.v[m];
  if constexpr (Order >= 1)
    for (int m = 0; m < count; ++m) {
      row.slope[first + m] = result.c[m];
      row.own_slope[first + m] = 2 * result.q[m];
    }
  if constexpr (Order == 2)
    for (int m = 0; m < count; ++m) {
      row.curvature[first + m] = result.cc[m];
      row.own_curvature[first + m] = 2 * result.qc[m];
      row.both_curvature[first + m] = 4 * result.qp[m];
    }
}

template <NeuralNetwork::Activation Activation>
void whole_row(const NeuralNetwork& network, const NeuralRow& row) {
  for (long first = 0; first < row.points->count; first += block_points) {
    const long left = row.points->count - first;
    const int count = static_cast<int>(left < block_points ? left : block_points);
    if (row.curvature != nullptr)
      block_row<Activation, 2>(network, row, first, count);
    else if (row.slope != nullptr)
      block_row<Activation, 1>(network, row, first, count);
    else
      block_row<Activation, 0>(network, row, first, count);
  }
}

void diagonal(const NeuralNetwork& network, const NeuralDiagonal& points) {
  if (network.activation == NeuralNetwork::Activation::erf)
    fill_diagonal<NeuralNetwork::Activation::erf>(network, points);
  else
    fill_diagonal<NeuralNetwork::Activation::gelu>(network, points);
}

void row(const NeuralNetwork& network, const NeuralRow& wanted) {
  if (network.activation == NeuralNetwork::Activation::erf)
    whole_row<NeuralNetwork::Activation::erf>(network, wanted);
  else
    whole_row<NeuralNetwork::Activation::gelu>(network, wanted);
}

}  // namespace

extern const NeuralLoops GAPKIT_LOOPS;
const NeuralLoops GAPKIT_LOOPS = {diagonal, row};

}  // namespace gapkit
