#include "fit/row_targets.hpp"

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {

RowRules row_rules(const FitOptions& options) {
  const RegularizationOptions& regularization = options.regularization;
  RowRules rules;
  rules.keys = options.used_keys();
  for (const TargetInfo& target : all_targets()) rules.use[target.property] = options.uses(target);
  rules.scale_with_atoms = regularization.scale_with_atoms;
  std::map<std::string, SigmaOptions> classes = regularization.config_type;
  for (const std::string& name : options.optimize.classes) classes.emplace(name, regularization.standard);
  const auto add = [&](Property p, const std::string& config_class, double sigma) {
    if (!(sigma > 0) || !std::isfinite(sigma))
      throw InputError("[regularization] sigma of property '" + std::string(property_name(p)) + "', class '" + config_class + "', is " +
                       std::to_string(sigma) + ", expected a positive number");
    rules.groups.push_back({p, config_class, false, sigma});
  };
  for (const TargetInfo& target : all_targets()) {
    const Property p = target.property;
    if (!options.uses(target)) continue;
    add(p, "default", regularization.standard[p]);
    for (const auto& [config_type, sigma] : classes) add(p, config_type, sigma[p]);
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

namespace {

/// The target of the field that is the reference energy at each atom.
std::vector<double> target_of_atoms(const TargetInfo& target, const Structure& s, const std::map<int, double>& reference_energies) {
  switch (target.functional) {
    case Functional::sum:
      return {sum_of_reference_energies(s, reference_energies)};
    case Functional::value: {
      std::vector<double> values;
      for (const int z : s.atomic_numbers) values.push_back(reference_energies.at(z));
      return values;
    }
    case Functional::first_moment: {
      const Vector3 centroid = s.positions.colwise().mean().transpose();
      Vector3 sum = Vector3::Zero();
      for (Eigen::Index i = 0; i < s.size(); ++i)
        sum += (s.positions.row(i).transpose() - centroid) * reference_energies.at(s.atomic_numbers[static_cast<std::size_t>(i)]);
      return {sum.data(), sum.data() + 3};
    }
    case Functional::minus_gradient:
    case Functional::minus_strain_derivative:
      break;
  }
  return std::vector<double>(static_cast<std::size_t>(target.row_count(s.size())), 0.0);
}

}  // namespace

RowTargets Regularization::row_targets(const Structure& s, const std::map<int, double>& reference_energies) const {
  RowTargets t;
  t.wanted = wanted_rows(rules_, s);
  const auto add = [&](const TargetInfo& target, int row, double value) {
    const Property property = target.property;
    const std::optional<double> own = own_sigma(s, property, row);
    const bool is_excluded = target.is_masked(s, row);
    if (own && !is_excluded && (!(*own > 0) || !std::isfinite(*own)))
      throw InputError(s.place() + own_sigma_key(s, property) + " is " + std::to_string(*own) + ", expected a positive number");
    t.value.push_back(value);
    t.group.push_back(is_excluded ? RowTargets::excluded : group_of(property, s.config_type, own.has_value()));
    t.noise_scale.push_back(is_excluded ? 1 : own ? *own : target.noise_scale(s.size(), rules_.scale_with_atoms));
  };
  for (const TargetInfo& target : all_targets()) {
    if (!t.wanted.wants(target.property)) continue;
    const std::vector<double> offsets = target_of_atoms(target, s, reference_energies), values = target.rows(s);
    for (std::size_t row = 0; row < values.size(); ++row) add(target, static_cast<int>(row), values[row] - offsets[row]);
  }
  return t;
}

Observables wanted_rows(const RowRules& rules, const Structure& s) {
  Observables wanted;
  for (const TargetInfo& target : all_targets())
    wanted.wants(target.property) = rules.use[target.property] && !target.rows(s).empty() && target.can_be_fitted(s);
  return wanted;
}

void count_noise(const RowRules& rules, const Structure& s, std::vector<NoiseRecord>& records) {
  if (s.size() == 1) return;  // isolated atoms set E0; their noise differs from other frames
  const Observables wanted = wanted_rows(rules, s);
  for (const TargetInfo& target : all_targets()) {
    if (!wanted.wants(target.property)) continue;
    NoiseRecord record{target.property, s.config_type};
    const double h = target.noise_scale(s.size(), rules.scale_with_atoms);
    for (int row = 0; row < target.row_count(s.size()); ++row) {
      if (target.is_masked(s, row)) continue;
      const std::optional<double> own = own_sigma(s, target.property, row);
      ++(own ? record.own_rows : record.class_rows);
      if (own) record.own_square += (*own / h) * (*own / h);
    }
    if (record.own_rows + record.class_rows > 0) add_to(records, record);
  }
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
