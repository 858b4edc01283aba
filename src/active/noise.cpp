#include "active/noise.hpp"

namespace gapkit {

double noise_unit(const Model& model, Property property, const std::string& config_type) {
  const NoiseLevel level = noise_level(model, property, config_type);
  if (level.origin != NoiseLevel::Origin::none) return level.sigma;
  return target_info(property).sigma;
}

}  // namespace gapkit
