#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Adds the model underneath, if there is one and the request does not ask for the difference: the values that the structure brings.
/// Targets that it does not give, or of which a structure without a cell has none, are left out. Throws InputError for a structure that
/// lacks values.
void add_base(const Model& model, const Structure& structure, const PredictionRequest& request, Prediction& prediction);

/// Throws InputError for a request that wants the values of the model underneath where there is no structure to bring them.
void require_difference(const Model& model, const PredictionRequest& request);

}  // namespace gapkit
