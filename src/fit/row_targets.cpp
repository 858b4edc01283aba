#include "fit/row_targets.hpp"

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {

RowRules row_rules(const FitOptions& options) {
  const RegularizationOptions& regularization = options.regularization;
  RowRules rules;
  rules.keys = options.keys;
  rules.use_energy = options.use_energy;
  rules.use_forces = options.use_forces;
  rules.use_virial = options.use_virial;
  rules.keys.set_use(rules.use_energy, rules.use_forces, rules.use_virial);
  rules.scale_with_atoms = regularization.scale_with_atoms;
  std::map<std::string, SigmaOptions> classes = regularization.config_type;
  for (const std::string& name : options.optimize.classes) classes.emplace(name, regularization.standard);
  const auto sigma_of = [](const SigmaOptions& s, Property p) {
    return p == Property::energy ? s.energy : p == Property::force ? s.force : s.virial;
  };
  const auto add = [&](Property p, const std::string& config_class, double sigma) {
    if (!(sigma > 0) || !std::isfinite(sigma))
      throw InputError("[regularization] sigma of property '" + std::string(property_name(p)) + "', class '" + config_class + "', is " +
                       std::to_string(sigma) + ", expected a positive number");
    rules.groups.push_back({p, config_class, false, sigma});
  };
  for (const Property p : {Property::energy, Property::force, Property::virial}) {
    if (!(p == Property::energy ? options.use_energy : p == Property::force ? options.use_forces : options.use_virial)) continue;
    add(p, "default", sigma_of(regularization.standard, p));
    for (const auto& [config_type, sigma] : classes) add(p, config_type, sigma_of(sigma, p));
    rules.groups.push_back({p, "default", true, 1.0});
  }
  return rules;
}

int Regularization::group_of(Property property, const std::string& config_type, bool fixed) const {
  int common = -1;
  for (std::size_t i = 0; i < rules_.groups.size(); ++i) {
    const RowGroup& g = rules_.groups[i];
    if (g.property != property || g.fixed != fixed) continue;
    if (!fixed && g.config_class == config_type) return static_cast<int>(i);
    if (g.config_class == "default") common = static_cast<int>(i);
  }
  if (common < 0) throw Error("no group for the rows of " + std::string(property_name(property)));
  return common;
}

RowTargets Regularization::row_targets(const Structure& s, const std::map<int, double>& reference_energies) const {
  RowTargets t;
  t.wanted = {
      .energy = rules_.use_energy && s.energy, .forces = rules_.use_forces && s.forces, .virial = rules_.use_virial && s.virial && s.cell};
  const double root = rules_.scale_with_atoms ? std::sqrt(static_cast<double>(s.size())) : 1.0;
  const auto checked = [&](double sigma, const char* what) {
    if (!(sigma > 0) || !std::isfinite(sigma))
      throw InputError(s.source + ": " + what + " is " + std::to_string(sigma) + ", expected a positive number");
    return sigma;
  };
  const auto add = [&](double value, int group, double scale) {
    t.value.push_back(value);
    t.group.push_back(group);
    t.scale.push_back(scale);
  };
  if (t.wanted.energy) {
    const double y = *s.energy - sum_of_reference_energies(s, reference_energies);
    if (s.energy_sigma)
      add(y, group_of(Property::energy, s.config_type, true), checked(*s.energy_sigma, "energy_sigma"));
    else
      add(y, group_of(Property::energy, s.config_type, false), root);
  }
  if (t.wanted.forces) {
    const int common = group_of(Property::force, s.config_type, false), fixed = group_of(Property::force, s.config_type, true);
    for (int i = 0; i < s.size(); ++i) {
      const auto a = static_cast<std::size_t>(i);
      const bool masked = !s.force_mask.empty() && s.force_mask[a];
      int group = masked ? RowTargets::excluded : common;
      double scale = 1;
      if (!masked && !s.force_atom_sigma.empty()) {
        group = fixed;
        scale = checked(s.force_atom_sigma[a], "a force_atom_sigma");
      } else if (!masked && s.force_sigma) {
        group = fixed;
        scale = checked(*s.force_sigma, "force_sigma");
      }
      for (int k = 0; k < 3; ++k) add((*s.forces)(i, k), group, scale);
    }
  }
  if (t.wanted.virial) {
    const int group = group_of(Property::virial, s.config_type, s.virial_sigma.has_value());
    const double scale = s.virial_sigma ? checked(*s.virial_sigma, "virial_sigma") : root;
    const Matrix3& w = *s.virial;
    for (const auto& [i, j] : {std::pair{0, 0}, {1, 1}, {2, 2}, {1, 2}, {0, 2}, {0, 1}}) add(0.5 * (w(i, j) + w(j, i)), group, scale);
  }
  return t;
}

double sum_of_reference_energies(const Structure& structure, const std::map<int, double>& reference_energies) {
  double sum = 0;
  for (const int z : structure.atomic_numbers) {
    const auto found = reference_energies.find(z);
    if (found == reference_energies.end()) throw InputError(structure.source + ": no reference energy for " + element_symbol(z));
    sum += found->second;
  }
  return sum;
}

}  // namespace gapkit
