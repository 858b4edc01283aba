#pragma once

#include <gapkit/config/config.hpp>

namespace gapkit {

/// Estimated wall seconds of a fit with the calibration of its error bars and its error tables.
struct WholeFitSeconds {
  double first = 0;  ///< the fit, and the error bars of the structures that it sets aside
  double later = 0;  ///< each further round of the calibration
  double rest = 0;   ///< adding the structures that were set aside, and the error tables

  double of_rounds(int rounds) const { return first + (rounds - 1) * later + rest; }
};

/// `plan`: of all training frames.
WholeFitSeconds whole_fit_seconds(const FitConfiguration& options, const FitPlan& plan);

}  // namespace gapkit
