#pragma once

#include <gapkit/model/noise.hpp>

namespace gapkit {

/// noise_level() as a unit of error bars: eV (of an atom's share of the energy), eV/Å. A property that the model has no noise of has the
/// σ that it would be fitted with by default.
double noise_unit(const Model& model, Property property, const std::string& config_type);

}  // namespace gapkit
