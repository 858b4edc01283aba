#include "fit/row_targets.hpp"

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {

RowRules row_rules(const FitOptions& options) {
  const RegularizationOptions& regularization = options.regularization;
  RowRules rules;
  rules.keys = options.used_keys();
  rules.use_energy = options.use_energy;
  rules.use_forces = options.use_forces;
  rules.use_virial = options.use_virial;
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
  t.wanted = wanted_rows(rules_, s);
  const auto add = [&](Property property, int row, double value) {
    const std::optional<double> own = own_sigma(s, property, row);
    const bool is_excluded = property == Property::force && is_masked(s, row / 3);
    if (own && !is_excluded && (!(*own > 0) || !std::isfinite(*own)))
      throw InputError(s.place() + own_sigma_key(s, property) + " is " + std::to_string(*own) + ", expected a positive number");
    t.value.push_back(value);
    t.group.push_back(is_excluded ? RowTargets::excluded : group_of(property, s.config_type, own.has_value()));
    t.scale.push_back(is_excluded ? 1 : own ? *own : noise_scale(property, s.size(), rules_.scale_with_atoms));
  };
  if (t.wanted.energy) add(Property::energy, 0, *s.energy - sum_of_reference_energies(s, reference_energies));
  if (t.wanted.forces)
    for (int row = 0; row < 3 * s.size(); ++row) add(Property::force, row, s.forces->data()[row]);
  if (t.wanted.virial) {
    const Matrix3 w = 0.5 * (*s.virial + s.virial->transpose());
    int row = 0;
    for (const double value : {w(0, 0), w(1, 1), w(2, 2), w(1, 2), w(0, 2), w(0, 1)}) add(Property::virial, row++, value);
  }
  return t;
}

Observables wanted_rows(const RowRules& rules, const Structure& s) {
  return {.energy = rules.use_energy && s.energy, .forces = rules.use_forces && s.forces, .virial = rules.use_virial && s.virial && s.cell};
}

void count_noise(const RowRules& rules, const Structure& s, std::vector<NoiseRecord>& records) {
  const auto count = [&](Property property) {
    NoiseRecord record{property, s.config_type};
    const double h = noise_scale(property, s.size(), rules.scale_with_atoms);
    for (int row = 0; row < row_count(property, s.size()); ++row) {
      if (property == Property::force && is_masked(s, row / 3)) continue;
      const std::optional<double> own = own_sigma(s, property, row);
      ++(own ? record.own_rows : record.class_rows);
      if (own) record.own_square += (*own / h) * (*own / h);
    }
    if (record.own_rows + record.class_rows > 0) add_to(records, record);
  };
  if (s.size() == 1) return;  // isolated atoms set E0; they say nothing about the noise of other frames
  const Observables wanted = wanted_rows(rules, s);
  if (wanted.energy) count(Property::energy);
  if (wanted.forces) count(Property::force);
  if (wanted.virial) count(Property::virial);
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
