#pragma once

// The inner loops of stationary kernels, compiled for several instruction sets like those of the descriptors (see soap_loops.hpp).

namespace gapkit {

struct StationaryLoops {
  /// result[m] = exp(−½ Σ_d lambda[d] (z[d · stride + m] − x[d])²), m < count. Relative error below 1e-15 + 2e-16 of the exponent;
  /// what is smaller than 1e-307 may come out as that. NaN stays NaN.
  void (*gaussian_row)(const double* x, const double* z, long stride, const double* lambda, int size, long count, double* result);
};

const StationaryLoops& stationary_loops();

}  // namespace gapkit
