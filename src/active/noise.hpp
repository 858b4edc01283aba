#pragma once

#include <gapkit/model/noise.hpp>

namespace gapkit {

/// noise_level() as a unit of error bars: eV (an atom's share of the energy), eV/Å. For a property without noise in the model: the
/// default σ of fits.
double noise_unit(const Model& model, Property property, const std::string& config_type);

}  // namespace gapkit
