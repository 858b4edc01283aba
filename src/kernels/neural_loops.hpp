#pragma once

// Inner loops of the kernels of infinitely wide networks, compiled for several instruction sets (see soap_loops.hpp).

namespace gapkit {

/// A network of `depth` hidden layers (methods.md, section 1); activations without kinks only.
struct NeuralNetwork {
  enum class Activation { gelu, erf, relu };

  Activation activation;
  int depth;               ///< L
  double weight_variance;  ///< w
  double bias_variance;    ///< b
  bool is_tangent;         ///< T of the output: all layers are trained; else C: only the last one
};

/// What the layers need of each point alone: rows of `stride` numbers for the layers 1 … L.
struct NeuralDiagonal {
  long count, stride;
  double* square;      ///< Q = E[h²]
  double* slope;       ///< dQ/d|x|²
  double* reciprocal;  ///< 1/(1 + Q), of erf 1/(1 + 2Q)
  double* root;        ///< √reciprocal
};

/// A row of Kernel::compute for an environment x against points z. Derivatives are null if not wanted, or all second ones with all first
/// ones.
struct NeuralRow {
  const NeuralDiagonal* own;  ///< of the environments
  long place;                 ///< of x in them
  const NeuralDiagonal* points;
  const double* inner;  ///< [M] factor · x·z
  double factor;        ///< of x·z, |x|², |z|² in the first layer: w times the input scale
  double* value;
  double *slope, *own_slope;
  double *curvature, *own_curvature, *both_curvature;
};

struct NeuralLoops {
  /// Fills a diagonal from its squares and slopes of the first layer.
  void (*diagonal)(const NeuralNetwork&, const NeuralDiagonal&);
  void (*row)(const NeuralNetwork&, const NeuralRow&);
};

const NeuralLoops& neural_loops();

}  // namespace gapkit
