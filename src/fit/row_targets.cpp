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
  // Rows of one atom, or of one property but forces.
  const auto add = [&](Property property, int atom, std::initializer_list<double> values) {
    const std::optional<double> own = own_sigma(s, property, atom);
    const bool is_excluded = property == Property::force && is_masked(s, atom);
    if (own && !is_excluded && (!(*own > 0) || !std::isfinite(*own)))
      throw InputError(s.source + ": " +
                       (property == Property::force && !s.force_atom_sigma.empty() ? "force_atom" : property_name(property)) +
                       "_sigma is " + std::to_string(*own) + ", expected a positive number");
    const int group = is_excluded ? RowTargets::excluded : group_of(property, s.config_type, own.has_value());
    const double scale = is_excluded ? 1 : own ? *own : noise_scale(property, s.size(), rules_.scale_with_atoms);
    for (const double value : values) {
      t.value.push_back(value);
      t.group.push_back(group);
      t.scale.push_back(scale);
    }
  };
  if (t.wanted.energy) add(Property::energy, 0, {*s.energy - sum_of_reference_energies(s, reference_energies)});
  if (t.wanted.forces)
    for (int i = 0; i < s.size(); ++i) add(Property::force, i, {(*s.forces)(i, 0), (*s.forces)(i, 1), (*s.forces)(i, 2)});
  if (t.wanted.virial) {
    const Matrix3 w = 0.5 * (*s.virial + s.virial->transpose());
    add(Property::virial, 0, {w(0, 0), w(1, 1), w(2, 2), w(1, 2), w(0, 2), w(0, 1)});
  }
  return t;
}

Observables wanted_rows(const RowRules& rules, const Structure& s) {
  return {.energy = rules.use_energy && s.energy, .forces = rules.use_forces && s.forces, .virial = rules.use_virial && s.virial && s.cell};
}

void count_noise(const RowRules& rules, const Structure& s, std::vector<NoiseRecord>& records) {
  const auto count = [&](Property property, int atoms, std::int64_t rows) {
    NoiseRecord record{property, s.config_type};
    const double h = noise_scale(property, s.size(), rules.scale_with_atoms);
    for (int i = 0; i < atoms; ++i) {
      if (property == Property::force && is_masked(s, i)) continue;
      const std::optional<double> own = own_sigma(s, property, i);
      (own ? record.own_rows : record.class_rows) += rows;
      if (own) record.own_square += static_cast<double>(rows) * (*own / h) * (*own / h);
    }
    if (record.own_rows + record.class_rows > 0) add_to(records, record);
  };
  const Observables wanted = wanted_rows(rules, s);
  if (wanted.energy) count(Property::energy, 1, 1);
  if (wanted.forces) count(Property::force, s.size(), 3);
  if (wanted.virial) count(Property::virial, 1, 6);
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
