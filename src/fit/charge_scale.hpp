#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Options whose fixed charges have the factor that the data prefer, if a [[long_range]] asks for one (`scale`); else the given options.
/// The square of the factor is one more unknown of the regression to a sample of at most 200 structures (10000 atoms), at the σ and δ with
/// the largest evidence. `found`: what was found. Throws InputError for fewer than 5 structures.
FitOptions with_charge_scale(const FitData& data, const FitOptions& options, std::optional<ChargeScale>& found,
                             const ProgressCallback& progress);

}  // namespace gapkit
