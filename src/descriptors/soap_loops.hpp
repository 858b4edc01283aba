#pragma once

// The inner loops of SOAP on plain arrays. They are compiled once for each instruction set (soap_loops_*.cpp); the best one that
// the processor knows is chosen at run time, so that one portable binary uses AVX2 or AVX-512 where they exist.
//
// K = species · n_max channels, count = n_max (l_max+1) radial functions [l][n], harmonics [(l_max+1)²][lanes].

namespace gapkit {

inline constexpr int soap_lanes = 8;  // pairs are worked on in blocks of this many

/// Where the features of the channels a, b ≤ a are, by a(a+1)/2 + b.
struct SoapFeatures {
  const int* zero;    ///< l = 0
  const int* higher;  ///< l = 1, the others follow
  const int* last;    ///< largest l: l_max or 0
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
  void (*harmonics)(int l_max, const double* prefactor, const double* x, const double* y, const double* z, double* value, double* gradient);

  /// c[lm][offset + n] += Σ_lanes Y_lm R_nl; radial is [lanes][count] and seven numbers more.
  void (*accumulate)(int l_max, int n_max, int channels, int offset, int pairs, const double* harmonics, const double* radial, double* c);

  /// p(a, b ≤ a, l) = w Σ_m c_alm c_blm with w = 1/√(2l+1), times √2 if a ≠ b. Returns |p|². Reads seven numbers beyond the end of c.
  double (*power_spectrum)(int l_max, int channels, const SoapFeatures& features, const double* c, double* p);

  /// dE/dc from dE/dp: gradient [lm][K] and seven numbers more. scratch: K (K + 7).
  void (*coefficient_gradient)(int l_max, int channels, const SoapFeatures& features, const double* c, const double* dE_dp,
                               double* gradient, double* scratch);

  /// dE/dr of eight pairs of one species from dE/dc: out[3][lanes]. radial and slope are [count][lanes]; inverse_r holds 1/r.
  void (*pair_gradient)(int l_max, int n_max, int channels, int offset, const double* dE_dc, const double* harmonics,
                        const double* harmonics_gradient, const double* radial, const double* slope, const double* x, const double* y,
                        const double* z, const double* inverse_r, double* out);

  /// Rows α = 0, 1, 2 of scale · dp/dr_α for the pair `lane`, at the features of l ≥ 1 that contain the species of `offset`, in the
  /// order of the pairs of channels; rows are `columns` apart. Also the dot products of the rows with x at those features (x_block).
  /// scratch: 5 K (l_max+1) + 2 count.
  void (*jacobian)(int l_max, int n_max, int channels, const SoapFeatures& features, int offset, int lane, const double* c,
                   const double* harmonics, const double* harmonics_gradient, const double* radial, const double* slope,
                   const double unit[3], double inverse_r, double scale, const double* x_block, int columns, double* rows,
                   double* projection, double* scratch);
};

/// The loops for this processor.
const SoapLoops& soap_loops();

}  // namespace gapkit
