#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit {

/// The fitted σ of a property for a structure's config type (that of its class, else the default); a property that was not fitted has the
/// σ it would have by default (eV per atom, eV/Å).
double fitted_sigma(const Model& model, Property property, const std::string& config_type);

/// Standard deviation of the noise of a total energy: σ_E √N, eV.
double energy_noise(const Model& model, const Structure& structure);
/// σ_E, eV: of an atom's share.
double local_energy_noise(const Model& model, const Structure& structure);
/// σ_F, eV/Å.
double force_noise(const Model& model, const Structure& structure);

}  // namespace gapkit
