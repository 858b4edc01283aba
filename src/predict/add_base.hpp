#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Adds the base model's values in the structure, if there is a base and the request does not ask for the difference.
/// Targets that it does not give, or of which a structure without a cell has none, are left out. Throws InputError for a structure that
/// lacks values.
void add_base(const Model& model, const Structure& structure, const PredictionRequest& request, Prediction& prediction);

/// Throws InputError if a request needs the base model's values and there is no structure with them.
void require_difference(const Model& model, const PredictionRequest& request);

}  // namespace gapkit
