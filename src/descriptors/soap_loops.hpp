#pragma once

// The inner loops of SOAP's Jacobian on plain arrays, and those of soap_packs.hpp. They are compiled once for each instruction set
// (soap_loops_*.cpp); the best one of the processor is chosen at run time, so that one portable binary uses AVX2 or AVX-512 where they
// exist.
//
// K = species · n_max channels, count = n_max (l_max+1) radial functions [l][n], harmonics [(l_max+1)²][lanes].

#include <gapkit/math/spherical_harmonics_lanes.hpp>

#include "descriptors/soap_packs.hpp"

namespace gapkit {

inline constexpr int soap_lanes = 8;  // pairs in a block

/// Expansion coefficients of one environment.
struct SoapCoefficients {
  int l_max, channels;
  const int* last;  ///< largest l of the features of the channels a, b ≤ a, by a(a+1)/2 + b: l_max or 0
  const double* c;  ///< [lm][K]
};

/// A block of up to eight neighbours of one species around a centre.
struct SoapPairs {
  int l_max, n_max, channels;
  int offset;                        ///< first channel of the species
  int count;                         ///< pairs; other lanes have no weight
  const double* harmonics;           ///< Y_lm
  const double* harmonics_gradient;  ///< [3][lm][lanes] r ∇Y_lm
  const double* radial;              ///< R_nl: [lanes][count]
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

  /// Y_lm of eight unit vectors, with gradient along the sphere if not null (see math/spherical_harmonics_lanes.hpp).
  void (*harmonics)(int l_max, const double* prefactor, const harmonics::Directions& directions, double* value, double* gradient);

  /// Rows α = 0, 1, 2 of scale · dp/dr_α for the pair `lane`, at the features of l ≥ 1 that contain its species, in the order of the pairs
  /// of channels.
  void (*jacobian)(const SoapPairs& pairs, int lane, const SoapCoefficients& coefficients, const SoapRows& result);

  SoapPacks<double> full;
  SoapPacks<float> single;
  SpectrumLoops spectrum;
};

/// The loops for this processor.
const SoapLoops& soap_loops();

}  // namespace gapkit
