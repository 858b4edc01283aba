#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit::apps {

/// Throws InputError with the nearest name.
OptimizeOptions::Objective objective_from(const std::string& name, const std::string& option);

/// Evidence, σ, residuals, fold errors and δ before and after, as a table.
std::string optimization_text(const OptimizationReport& report);

}  // namespace gapkit::apps
