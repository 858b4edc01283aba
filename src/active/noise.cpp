#include "active/noise.hpp"

#include <cmath>

namespace gapkit {

double fitted_sigma(const Model& model, Property property, const std::string& config_type) {
  const RowGroup* chosen = nullptr;
  for (const RowGroup& group : model.posterior.groups) {
    if (group.property != property || group.fixed) continue;
    if (group.config_class == config_type)
      chosen = &group;
    else if (group.config_class == "default" && !chosen)
      chosen = &group;
  }
  if (chosen) return chosen->sigma;
  return property == Property::energy ? 0.001 : 0.05;
}

double energy_noise(const Model& model, const Structure& structure) {
  const double h = model.scale_with_atoms ? std::sqrt(static_cast<double>(structure.size())) : 1.0;
  return h * fitted_sigma(model, Property::energy, structure.config_type);
}

double local_energy_noise(const Model& model, const Structure& structure) {
  return fitted_sigma(model, Property::energy, structure.config_type);
}

double force_noise(const Model& model, const Structure& structure) {
  return fitted_sigma(model, Property::force, structure.config_type);
}

}  // namespace gapkit
