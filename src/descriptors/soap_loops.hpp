#pragma once

// The inner loops of SOAP on plain arrays. They are compiled once for each instruction set (soap_loops_*.cpp); the best one of the
// processor is chosen at run time, so that one portable binary uses AVX2 or AVX-512 where they exist.
//
// K = species · n_max channels, count = n_max (l_max+1) radial functions [l][n], harmonics [(l_max+1)²][lanes].

#include <gapkit/math/spherical_harmonics_lanes.hpp>

namespace gapkit {

inline constexpr int soap_lanes = 8;  // pairs in a block

/// Where the features of the channels a, b ≤ a are, by a(a+1)/2 + b.
struct SoapFeatures {
  const int* zero;    ///< l = 0
  const int* higher;  ///< l = 1, the others follow
  const int* last;    ///< largest l: l_max or 0
};

/// Expansion coefficients of one environment.
struct SoapCoefficients {
  int l_max, channels;
  SoapFeatures features;
  const double* c;  ///< [lm][K]; seven numbers beyond the end are read
};

/// A block of up to eight neighbours of one species around a centre.
struct SoapPairs {
  int l_max, n_max, channels;
  int offset;                        ///< first channel of the species
  int count;                         ///< pairs; other lanes have no weight
  const double* harmonics;           ///< Y_lm
  const double* harmonics_gradient;  ///< [3][lm][lanes] r ∇Y_lm
  const double* radial;              ///< R_nl: [lanes][count] and seven numbers more, [count][lanes] in pair_gradient
  const double* slope;               ///< R'_nl, 1/Å, laid out like `radial`
  harmonics::Directions direction;   ///< r̂
  const double* inverse_r;           ///< [lanes] 1/r
};

/// Rows of the Jacobian of one pair, and their input.
struct SoapRows {
  double scale;        ///< factor of the rows
  const double* x;     ///< features at the columns of the rows
  int columns;         ///< distance between rows
  double* rows;        ///< [3][columns]
  double* projection;  ///< [3] products of the rows with x
  double* scratch;     ///< 4 K (l_max + 1) + 2 count
};

struct SoapLoops {
  const char* name;

  /// Radial functions of one pair and their derivatives (null: not wanted) from the spline. `rows` is the left knot's row of the table;
  /// the six Hermite weights hold the cutoff function: weight = f_c w, derivative = f_c' w + f_c w' (per Å).
  void (*radial)(const double* rows, const double* weight, const double* derivative, int count, double* radial, double* slope);

  /// The same for eight pairs, transposed: radial and slope are [count][lanes], with room for one more block of lanes²; rows are read up to
  /// seven numbers beyond their end.
  void (*radial_lanes)(const double* const* rows, const double (*weight)[6], const double (*derivative)[6], int count, double* radial,
                       double* slope);

  /// Y_lm of eight unit vectors, with gradient along the sphere if not null (see math/spherical_harmonics_lanes.hpp).
  void (*harmonics)(int l_max, const double* prefactor, const harmonics::Directions& directions, double* value, double* gradient);

  /// c[lm][offset + n] += Σ_lanes Y_lm R_nl
  void (*accumulate)(const SoapPairs& pairs, double* c);

  /// p(a, b ≤ a, l) = w Σ_m c_alm c_blm with w = 1/√(2l+1), times √2 if a ≠ b. Returns |p|².
  double (*power_spectrum)(const SoapCoefficients& coefficients, double* p);

  /// dE/dc from dE/dp: gradient [lm][K] and seven numbers more. scratch: K (K + 7).
  void (*coefficient_gradient)(const SoapCoefficients& coefficients, const double* dE_dp, double* gradient, double* scratch);

  /// dE/dr of eight pairs from dE/dc: out[3][lanes].
  void (*pair_gradient)(const SoapPairs& pairs, const double* dE_dc, double* out);

  /// Rows α = 0, 1, 2 of scale · dp/dr_α for the pair `lane`, at the features of l ≥ 1 that contain its species, in the order of the pairs
  /// of channels.
  void (*jacobian)(const SoapPairs& pairs, int lane, const SoapCoefficients& coefficients, const SoapRows& result);
};

/// The loops for this processor.
const SoapLoops& soap_loops();

}  // namespace gapkit
