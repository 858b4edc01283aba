#pragma once

// The inner loops of stationary kernels, compiled for several instruction sets (see soap_loops.hpp).

namespace gapkit {

/// Points z_m of a kernel and its metric.
struct StationaryPoints {
  int size;         ///< D
  long count;       ///< M
  const double* z;  ///< [D] rows of `count` numbers, `stride` apart
  long stride;
  const double* lambda;  ///< [D]
};

struct StationaryLoops {
  /// result[m] = exp(−½ Σ_d lambda[d] (z[d · stride + m] − x[d])²), m < count. Relative error below 1e-15 + 2e-16 of the exponent;
  /// results below 1e-307 may come out as 1e-307. NaN stays NaN.
  void (*gaussian_row)(const StationaryPoints& points, const double* x, double* result);
};

const StationaryLoops& stationary_loops();

}  // namespace gapkit
