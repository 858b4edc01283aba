#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Wall seconds of the fit that `plan` describes, without calibration and error tables; its flop, rows and points must be known.
/// `flop_per_second`: of DGEMM with all threads. Constants were measured on silicon, molybdenum and ethanol (bench/time_budget).
double estimated_seconds(const FitOptions& options, const FitPlan& plan, double flop_per_second);

}  // namespace gapkit
