#pragma once

#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Whether the request makes an imported model give QUIP's variance of local energies in place of error bars.
bool gives_quip_variance(const Model& model, const PredictionRequest& request);

/// Throws InputError: error bars need a posterior.
void require_posterior(const Model& model);

}  // namespace gapkit
