#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

/// Radial functions g_nl(r) of SOAP with equispaced Gaussians (methods.md, section 2): an atom at distance r, smeared with `atom_sigma`,
/// projected on n_max orthonormalised Gaussians, times (1 − r/cutoff)^weight. The cutoff function is not included.
///
/// Values come from quintic Hermite splines on a uniform grid whose knots (value and two derivatives) are computed in extended
/// precision; the grid is refined until the largest error, measured between the knots against the direct formula over all
/// functions, is below 10⁻¹¹ of the largest value (10⁻⁹ for the derivative, which is the exact derivative of the spline).
/// Functions are ordered [l][n], n fastest. Units: Å; g in the unit of the formulas.
///
/// The first Gaussian is at r = 0, where a smeared atom has no part of l ≥ 1: the n_max functions of such an l are linearly dependent.
/// After rotation by one orthogonal matrix H (rotation()), g_l H, the last one of each l ≥ 1 is zero; turned() gives these.
class RadialBasis {
 public:
  /// Throws InputError for n_max < 1, l_max outside 0 … 24, lengths ≤ 0, a cutoff above 100 atom_sigma, or weight < 0.
  RadialBasis(int n_max, int l_max, double atom_sigma, double cutoff, int weight = 0);

  /// The basis with g_l H for l ≥ 1. Cost: one pass over the table.
  RadialBasis turned() const;

  int n_max() const { return n_max_; }
  int l_max() const { return l_max_; }
  int count() const { return n_max_ * (l_max_ + 1); }
  double cutoff() const { return cutoff_; }

  /// Coefficients (L_S)_{1n} / √4π that the centre atom contributes to c_n00 at central_weight 1; they do not depend on the weight.
  const std::vector<double>& centre() const { return centre_; }

  /// H: [n_max, n_max], orthogonal, symmetric. Functions of l = 0 are not turned.
  const Matrix& rotation() const { return rotation_; }

  /// Measured bounds of the spline's error relative to the largest |g| and |g'|.
  double value_error() const { return value_error_; }
  double derivative_error() const { return derivative_error_; }

  /// The direct formula, in extended precision: value, first and second derivative, [count] each (null: not wanted).
  void compute_directly(double r, double* value, double* first, double* second) const;

  // The spline's raw table for the vector loops: knot k at r = k · spacing holds three rows of `count` numbers: g, h g', h² g''; eight
  // zeros follow.
  const double* table() const { return table_.data(); }
  double spacing() const { return spacing_; }
  int knot_count() const { return knots_; }

  /// Spline value and derivative, [count] each; 0 ≤ r ≤ cutoff.
  void compute(double r, double* value, double* derivative) const;

 private:
  void tabulate(int intervals);

  int n_max_, l_max_;
  double cutoff_;
  int weight_;
  long double alpha_;
  std::vector<long double> centres_;    // r_a
  std::vector<long double> transform_;  // T, row-major [n_max, n_max]
  std::vector<long double> higher_;     // the same for l ≥ 1: T, or T H with its last column set to zero
  Matrix rotation_;
  std::vector<double> centre_;
  std::vector<double> table_;
  double spacing_ = 0;
  int knots_ = 0;
  double value_error_ = 0, derivative_error_ = 0;
};

/// Weights of the quintic Hermite polynomial at 0 ≤ t ≤ 1 for (g, h g', h² g'') at the left and the right knot.
inline void quintic_hermite(double t, double weight[6], double derivative[6]) {
  const double t2 = t * t, t3 = t2 * t, t4 = t3 * t, t5 = t4 * t;
  weight[0] = 1 - 10 * t3 + 15 * t4 - 6 * t5;
  weight[1] = t - 6 * t3 + 8 * t4 - 3 * t5;
  weight[2] = 0.5 * t2 - 1.5 * t3 + 1.5 * t4 - 0.5 * t5;
  weight[3] = 10 * t3 - 15 * t4 + 6 * t5;
  weight[4] = -4 * t3 + 7 * t4 - 3 * t5;
  weight[5] = 0.5 * t3 - t4 + 0.5 * t5;
  derivative[0] = -30 * t2 + 60 * t3 - 30 * t4;
  derivative[1] = 1 - 18 * t2 + 32 * t3 - 15 * t4;
  derivative[2] = t - 4.5 * t2 + 6 * t3 - 2.5 * t4;
  derivative[3] = 30 * t2 - 60 * t3 + 30 * t4;
  derivative[4] = -12 * t2 + 28 * t3 - 15 * t4;
  derivative[5] = 1.5 * t2 - 4 * t3 + 2.5 * t4;
}

}  // namespace gapkit
