#pragma once

#include <gapkit/model/covariance.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

/// Throw InputError with the first atom whose element the model does not know, or has no extrapolation threshold for, if grades are
/// requested; `where` names the structure.
void check_request(const Model& model, const Structure& structure, const std::string& where, const PredictionRequest& request);
void check_request(const Model& model, const Environments& environments, const PredictionRequest& request);

/// Novelty over prior of some observables together; 0 without any prior.
double novelty_fraction(std::span<const Variance> variances);

/// Error bars and extrapolation grades of atoms with these elements, as far as they are requested. An atom that is no centre has 0.
void set_local(const Model& model, std::span<const int> elements, std::span<const Variance> variances, const PredictionRequest& request,
               Prediction& result);

}  // namespace gapkit
