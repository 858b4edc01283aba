#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Cost: O(pairs).
Closeness closeness(const Model& model, const Environments& environments);
Closeness closeness(const Model& model, const Structure& structure);

}  // namespace gapkit
