#pragma once

#include "descriptors/soap.hpp"

namespace gapkit {

// Memory of one thread for the Jacobian of one centre. The next block of pairs overwrites the arrays of a block.
struct Soap::Scratch {
  explicit Scratch(const Soap& soap)
      : harmonics(static_cast<std::size_t>((soap.basis_.l_max() + 1) * (soap.basis_.l_max() + 1) * soap_lanes)),
        harmonics_gradient(3 * harmonics.size()),
        radial(static_cast<std::size_t>((soap.count_ + soap_lanes) * soap_lanes)),
        slope(radial.size()),
        x_block(static_cast<std::size_t>(soap.features_)),
        direction_x(static_cast<std::size_t>(soap.channels_)),
        jacobian(static_cast<std::size_t>(4 * soap.channels_ * (soap.basis_.l_max() + 2) + 2 * soap.count_)) {}

  double x[soap_lanes], y[soap_lanes], z[soap_lanes], inverse_r[soap_lanes];
  std::vector<double> harmonics, harmonics_gradient, radial, slope;
  std::vector<double> x_block, direction_x, jacobian;
};

// Values of one environment for its Jacobian.
struct Soap::Spectrum {
  std::size_t environment;
  const double* coefficients;
  const double* x;  // normalised
  double inverse_norm;
};

}  // namespace gapkit
