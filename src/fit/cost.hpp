#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Flop of DGEMM that take as long as one pair or triplet against a sparse point, exponential and sums included.
inline constexpr double flop_of_few_features = 150;

/// Wall seconds of the fit that `plan` describes, without calibration and error tables; its flop, rows and points must be known.
/// `flop_per_second`: of DGEMM with all threads. Constants were measured on silicon, molybdenum and ethanol (bench/time_budget).
void estimate_seconds(const FitOptions& options, double flop_per_second, FitPlan& plan);

}  // namespace gapkit
