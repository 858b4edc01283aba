#pragma once

#include <gapkit/predict/predictor.hpp>
#include <string>

namespace gapkit {

/// Sets closeness and is_finite of a prediction without error bars. Throws NumericalError if it is not finite, unless the request keeps
/// such predictions; `where` names the structure.
void check_mean(Prediction& prediction, const Model& model, const Environments& environments, const PredictionRequest& request,
                const std::string& where);

/// The same for error bars, after check_mean().
void check_error_bars(Prediction& prediction, const PredictionRequest& request, const std::string& where);

}  // namespace gapkit
