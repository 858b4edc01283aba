#pragma once

#include "fit/data_scan.hpp"

namespace gapkit {

/// Flop of DGEMM that take as long as one pair or triplet against a sparse point, exponential and sums included.
inline constexpr double flop_of_few_features = 150;

/// Sets flop, memory and time of the scan's plan, whose rows, terms and points are known. Time: wall seconds without calibration and error
/// tables. Constants were measured on silicon, molybdenum and ethanol (bench/time_budget).
void estimate_cost(const FitOptions& options, DataScan& scan);

}  // namespace gapkit
