#pragma once

#include <gapkit/fit/options.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/noise.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// Target, group and scale of every row of one structure, in the order of Observables.
struct RowTargets {
  static constexpr int excluded = -1;

  Observables wanted;
  std::vector<double> value;  ///< y: the targets, energies − Σ E0
  std::vector<int> group;     ///< index of the row's group, or `excluded`
  std::vector<double> scale;  ///< h: σ_n = σ_g h_n
};

/// The properties of a structure that make rows.
Observables wanted_rows(const RowRules& rules, const Structure& structure);
/// Counts the rows of a structure by where their σ comes from.
void count_noise(const RowRules& rules, const Structure& structure, std::vector<NoiseRecord>& records);

/// The rules that a configuration makes. Throws InputError for a σ that is not above 0.
RowRules row_rules(const FitOptions& options);

/// Which σ belongs to which row (methods.md, section 4).
class Regularization {
 public:
  explicit Regularization(RowRules rules) : rules_(std::move(rules)) {}
  explicit Regularization(const FitOptions& options) : Regularization(row_rules(options)) {}

  const std::vector<RowGroup>& groups() const { return rules_.groups; }
  const RowRules& rules() const { return rules_; }

  /// Throws InputError naming the structure for a σ ≤ 0 or an element without reference energy.
  RowTargets row_targets(const Structure& structure, const std::map<int, double>& reference_energies) const;

 private:
  int group_of(Property property, const std::string& config_type, bool fixed) const;

  RowRules rules_;
};

/// Σ E0 of a structure. Throws InputError naming structure and element if one is missing.
double sum_of_reference_energies(const Structure& structure, const std::map<int, double>& reference_energies);

}  // namespace gapkit
