#pragma once

#include <gapkit/fit/options.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// Target, group and scale of every row of one structure, in the order of Observables.
struct RowTargets {
  static constexpr int excluded = -1;

  Observables wanted;
  std::vector<double> value;  ///< y: energy − Σ E0, forces, virial
  std::vector<int> group;     ///< index of the row's group, or `excluded`
  std::vector<double> scale;  ///< h: σ_n = σ_g h_n
};

/// Which σ belongs to which row (METHODS 3).
class Regularization {
 public:
  explicit Regularization(const FitOptions& options);

  const std::vector<RowGroup>& groups() const { return groups_; }

  /// Throws InputError naming the structure for a σ ≤ 0 or an element without reference energy.
  RowTargets row_targets(const Structure& structure, const std::map<int, double>& reference_energies) const;

 private:
  int group_of(Property property, const std::string& config_type, bool fixed) const;

  RegularizationOptions options_;
  bool use_energy_, use_forces_, use_virial_;
  std::vector<RowGroup> groups_;
};

/// Σ E0 of a structure. Throws InputError naming structure and element if one is missing.
double sum_of_reference_energies(const Structure& structure, const std::map<int, double>& reference_energies);

}  // namespace gapkit
