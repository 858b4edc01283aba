#pragma once

// The inner loops of KernelRows, compiled for several instruction sets (see soap_loops.hpp).

namespace gapkit {

inline constexpr int leading_directions = 4;  ///< of sparse points, whose products stay in double precision

/// One pair of the Jacobian. Real: float where products of the Jacobian are in single precision; those with the leading directions of the
/// points are added in double precision.
template <class Real>
struct RowPairOf {
  const Real* contraction;  ///< three rows (x, y, z) of J · Λz, `stride` apart
  long stride;
  const double* radial;  ///< [radial_count] of the environment's directions; their sum times `unit` is added to the contraction
  int radial_count;
  const double* leading;  ///< for float: [3, leading_directions] factors of the centre's `leading`, or null
  double unit[3];
  double projection[3];       ///< of the rows on x
  double own_contraction[3];  ///< J · Λx: subtracted for a stationary kernel, multiplied by `own_slope` where there is one; else 0
  double cutoff_gradient[3];  ///< df/dr
  double vector[3];           ///< r_ij
  double* force;              ///< three rows of the neighbour's force, or null
  bool moves_centre;          ///< false for an atom's own image: no force
};

/// One environment of many features: the part that its pairs share.
struct RowCentre {
  const double* value;      ///< κ
  const double* slope;      ///< of the kernel
  const double* own_slope;  ///< of the kernel, or null
  const double* inner;      ///< x · Λz, or null where the projections are zero
  const double* along;      ///< radial directions · Λz, rows as far apart as those of the contraction; read up to seven numbers beyond
  const double* leading;    ///< for float: leading directions of Λz, rows `leading_stride` apart; read up to seven numbers beyond
  long leading_stride;
  double covariance_cutoff;  ///< f
  double* force;             ///< three rows of the centre's force, or null
};

/// Columns [first, first + count) of the rows, and the virial's rows.
struct RowColumns {
  int first, count;
  double* virial;  ///< six rows (xx yy zz yz xz xy), or null
  long stride;     ///< between rows of forces and of the virial
};

/// Where the gradient of one pair goes.
struct RowTarget {
  double *force_j, *force_i, *virial;  ///< three, three and six rows; null: left out
  long stride;
};

/// One environment of few features with the columns [0, count) of a tile of sparse points; count ≤ widest_environment_tile.
struct RowEnvironment {
  int size;              ///< D ≤ most_row_features
  const double* points;  ///< Λz, D rows `points_stride` apart
  long points_stride;
  const double* own_point;  ///< [D] Λx: subtracted for a stationary kernel, multiplied by `own_slope` where there is one; else 0
  const double* value;      ///< κ
  const double* slope;
  const double* own_slope;        ///< or null
  double covariance_cutoff;       ///< f
  int pairs;                      ///< Q
  const double* jacobian;         ///< [3Q, D]
  const double* cutoff_gradient;  ///< [3Q] df/dr
  const int* slot;                ///< [Q] which gradient each pair belongs to
};

/// Rows of a Jacobian for products in single precision.
struct JacobianRows {
  const double* values;
  long stride;
  int count, columns;
  const double* directions;  ///< [leading_directions, columns], or null
  float* copy;               ///< [count, columns]
  double* leading;           ///< [count, leading_directions] products with the directions
};

inline constexpr int widest_environment_tile = 64, most_row_features = 4;

using RowPair = RowPairOf<double>;

struct RowLoops {
  /// For every pair:
  /// g_α = f slope (contraction_α + unit_α Σ radial along − projection_α inner − own_contraction_α) + df_α value, with own_slope instead
  /// f [slope (contraction_α + unit_α Σ radial along − projection_α inner) + own_slope own_contraction_α] + df_α value;
  /// force_j −= g, force_i += g, virial −= r ⊗ g. Null targets are left out.
  void (*add_pairs)(const RowCentre& centre, const RowPair* pairs, int pair_count, const RowColumns& columns);
  void (*add_single_pairs)(const RowCentre& centre, const RowPairOf<float>* pairs, int pair_count, const RowColumns& columns);
  void (*copy_to_single)(const JacobianRows& rows);
  /// gradient[slot_q] += f dκ/dr_qα + df/dr_qα κ: three rows (x, y, z) of widest_environment_tile numbers for each slot.
  void (*add_environment)(const RowEnvironment& environment, int count, double* gradient);
  /// force_j −= g, force_i += g, virial −= r ⊗ g for one gradient g that add_environment has summed up.
  void (*add_gradient)(const double* gradient, const double* vector, int count, const RowTarget& target);
};

const RowLoops& row_loops();

}  // namespace gapkit
