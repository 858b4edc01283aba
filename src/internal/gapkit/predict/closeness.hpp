#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// One look at each distance of the list.
Closeness closeness(const Model& model, const Environments& environments);
Closeness closeness(const Model& model, const Structure& structure);

}  // namespace gapkit
