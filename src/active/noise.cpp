#include "active/noise.hpp"

#include <gapkit/fit/options.hpp>

namespace gapkit {

double noise_unit(const Model& model, Property property, const std::string& config_type) {
  const NoiseLevel level = noise_level(model, property, config_type);
  if (level.origin != NoiseLevel::Origin::none) return level.sigma;
  const SigmaOptions standard;
  return property == Property::energy ? standard.energy : property == Property::force ? standard.force : standard.virial;
}

}  // namespace gapkit
