#pragma once

// Inner loops of sums of integer powers, compiled for several instruction sets (see soap_loops.hpp).

namespace gapkit {

/// Points z_m [M, D] and weights w_m of ε(x) = Σ_m w_m s_m^ζ, or of a series in s_m instead of a power, with s_m = shift + x·z_m, in the
/// order in which the loops read them: groups of `PowerLoops::group` points, of which the last is filled up with points without weight.
/// Groups are [tile][d][points of a tile], and for the gradient [tile of features][m][features of the tile]; the last tile of features has
/// whole packs only as far as D needs them.
struct PowerPoints {
  int zeta;  ///< 0: the series
  double shift;
  long count, groups, features;                       ///< count: M
  const double* weights;                              ///< [M']
  const double* across;                               ///< [M' D], for x·z
  const double* gradient;                             ///< [M' D'], D' = D in whole packs, for Σ_m z_m
  const double *values = nullptr, *slopes = nullptr;  ///< [degree + 1] coefficients of s^k in the series and in its derivative
  int degree = 0;
};

/// Rows of x, and their results.
struct PowerRows {
  int count;  ///< at most PowerLoops::rows
  const double* x;
  long x_stride;
  double* energy;
  double* gradient = nullptr;  ///< null: not wanted
  long gradient_stride = 0;
  double* values = nullptr;  ///< s_m^ζ; null: not wanted
  long values_stride = 0;
};

struct PowerLoops {
  int pack;   ///< numbers of a register
  int tile;   ///< points, or features, of a tile: whole packs
  int group;  ///< points of a group: whole tiles
  int rows;   ///< most rows of one call
  long (*scratch)(const PowerPoints&);

  /// ε of some rows, and ∂ε/∂x = Σ_m ζ w_m s_m^{ζ−1} z_m. Slopes of one group at a time are kept, so that all but the points stay in the
  /// first levels of the cache.
  void (*evaluate)(const PowerPoints&, const PowerRows&, double* scratch);
};

const PowerLoops& power_loops();

}  // namespace gapkit
