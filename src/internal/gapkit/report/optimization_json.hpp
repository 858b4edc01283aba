#pragma once

#include <gapkit/fit/fit.hpp>
#include <nlohmann/json_fwd.hpp>

namespace gapkit {

/// Evidence, σ, residuals, fold errors and δ before and after the optimisation, for --json and the model's note "optimization".
nlohmann::ordered_json optimization_json(const OptimizationReport& report);

}  // namespace gapkit
