#pragma once

#include <gapkit/model/charge_dipole.hpp>
#include <gapkit/model/covariance.hpp>

namespace gapkit {

/// The covariance that the posterior of learned charges gives the dipole Σ q_i (r_i − r₀). Not re-entrant.
class ChargeBars {
 public:
  /// Both must outlive the object. Throws InputError if the charges have no posterior.
  ChargeBars(const ChargeDipole& dipole, const Model& charges);

  /// Epistemic, [3, 3] x y z. With the calibration of the charges (their dipoles, if they were fitted to these) as one factor for all
  /// directions, so that it turns with the structure.
  Matrix3 covariance(const Structure& structure, bool calibrated);

 private:
  const ChargeDipole& dipole_;
  const Model& charges_;
  Covariance covariance_;
};

}  // namespace gapkit
