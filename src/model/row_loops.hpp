#pragma once

// The inner loops of KernelRows, compiled for several instruction sets like those of the descriptors (see soap_loops.hpp).

namespace gapkit {

/// One pair of the Jacobian with the columns [0, count) of a tile of sparse points.
struct RowPair {
  const double* contraction;  ///< three rows (x, y, z) of J · Λz, `stride` apart
  long stride;
  const double* value;        ///< κ of the pair's environment
  const double* slope;        ///< slope of the kernel
  const double* inner;        ///< x · Λz, or null where the projection is zero
  double cutoff;              ///< f
  double projection[3];       ///< of the rows on x
  double centre[3];           ///< what a stationary kernel subtracts: J · Λx
  double cutoff_gradient[3];  ///< df/dr
  double vector[3];           ///< r_ij
};

struct RowLoops {
  /// g_α = f slope (contraction_α − projection_α inner − centre_α) + df_α value;  force_j −= g, force_i += g, virial −= r ⊗ g.
  /// Null targets are left out. force_* are three rows `row_stride` apart, virial six (xx yy zz yz xz xy).
  void (*add_pair)(const RowPair& pair, int count, double* force_j, double* force_i, double* virial, long row_stride);
};

const RowLoops& row_loops();

}  // namespace gapkit
