#pragma once

// The inner loops of KernelRows, compiled for several instruction sets like those of the descriptors (see soap_loops.hpp).

namespace gapkit {

/// One pair of the Jacobian.
struct RowPair {
  const double* contraction;  ///< three rows (x, y, z) of J · Λz, `stride` apart
  long stride;
  const double* radial;  ///< [radial_count] of the environment's directions; their sum times `unit` is added to the contraction
  int radial_count;
  double unit[3];
  double projection[3];       ///< of the rows on x
  double centre[3];           ///< J · Λx: subtracted for a stationary kernel, multiplied by `own_slope` where there is one; else 0
  double cutoff_gradient[3];  ///< df/dr
  double vector[3];           ///< r_ij
  double* force;              ///< three rows of the neighbour's force, or null
  bool moves_centre;          ///< false for an atom's own image: no force
};

/// What the pairs of one environment share.
struct RowCentre {
  const double* value;      ///< κ
  const double* slope;      ///< of the kernel
  const double* own_slope;  ///< of the kernel, or null
  const double* inner;      ///< x · Λz, or null where the projections are zero
  const double* along;      ///< radial directions · Λz, rows as far apart as those of the contraction; read up to seven numbers beyond
  double cutoff;            ///< f
  double* force;            ///< three rows of the centre's force, or null
};

/// One environment of few features with the columns [0, count) of a tile of sparse points; count ≤ widest_environment_tile.
struct RowEnvironment {
  int size;              ///< D ≤ most_row_features
  const double* points;  ///< Λz, D rows `points_stride` apart
  long points_stride;
  const double* centre;  ///< [D] Λx: subtracted for a stationary kernel, multiplied by `own_slope` where there is one; else 0
  const double* value;   ///< κ
  const double* slope;
  const double* own_slope;        ///< or null
  double cutoff;                  ///< f
  int pairs;                      ///< Q
  const double* jacobian;         ///< [3Q, D]
  const double* cutoff_gradient;  ///< [3Q] df/dr
  const int* slot;                ///< [Q] which gradient each pair belongs to
};

inline constexpr int widest_environment_tile = 64, most_row_features = 4;

struct RowLoops {
  /// For every pair, in columns [first, first + count):
  /// g_α = f slope (contraction_α + unit_α Σ radial along − projection_α inner − centre_α) + df_α value, with own_slope instead
  /// f [slope (contraction_α + unit_α Σ radial along − projection_α inner) + own_slope centre_α] + df_α value;
  /// force_j −= g, force_i += g, virial −= r ⊗ g. Null targets are left out. Rows of forces are `row_stride` apart, so are the six of the
  /// virial (xx yy zz yz xz xy).
  void (*add_pairs)(const RowCentre& centre, const RowPair* pairs, int pair_count, int first, int count, double* virial, long row_stride);
  /// gradient[slot_q] += f dκ/dr_qα + df/dr_qα κ: three rows (x, y, z) of widest_environment_tile numbers for each slot.
  void (*add_environment)(const RowEnvironment& environment, int count, double* gradient);
  /// force_j −= g, force_i += g, virial −= r ⊗ g for one gradient g that add_environment has summed up.
  void (*add_gradient)(const double* gradient, const double* vector, int count, double* force_j, double* force_i, double* virial,
                       long row_stride);
};

const RowLoops& row_loops();

}  // namespace gapkit
