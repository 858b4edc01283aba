#pragma once

#include <gapkit/core/target.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <map>
#include <string>

namespace gapkit {

/// Rows that share one noise level σ_g: a property of one class of config types, or rows with a σ of their own (`fixed`).
struct RowGroup {
  Property property = Property::energy;
  std::string config_class = "default";  ///< a config type with its own σ, or "default" for all others
  bool fixed = false;                    ///< σ given row by row: h_n is that σ and σ_g = 1
  double sigma = 1;                      ///< σ_g: eV, eV/Å, eV
  int fold = 0;                          ///< part of the data for cross-validation, if they are divided

  /// The same, whatever the fold and σ.
  bool same_noise(const RowGroup& other) const {
    return property == other.property && config_class == other.config_class && fixed == other.fixed;
  }
  bool same_rows(const RowGroup& other) const { return same_noise(other) && fold == other.fold; }
};

/// Sums over the whitened rows φ_n of one group with w_n = 1/h_n² (methods.md, section 4).
struct GroupStatistics {
  RowGroup group;
  SymmetricAccumulator gram;  ///< G = Σ w φ φᵀ
  Vector moment;              ///< b = Σ w φ y
  double target_square = 0;   ///< q = Σ w y²
  std::int64_t count = 0;     ///< n
  double log_weight = 0;      ///< ℓ = Σ log w
  std::vector<double> prior;  ///< τ_t = Σ w k** per term, k** being a row's prior variance; empty if it was not computed
};

/// Rows of one property and config type by where their σ came from: noise_level() (model/noise.hpp) needs it for new structures.
struct NoiseRecord {
  Property property = Property::energy;
  std::string config_type = "default";
  std::int64_t own_rows = 0;    ///< brought a σ of their own
  double own_square = 0;        ///< Σ (σ_n/h_n)² of these: eV², (eV/Å)², eV²
  std::int64_t class_rows = 0;  ///< have the σ of their class
};

/// Adds to the record of the same property and config type, or appends one.
void add_to(std::vector<NoiseRecord>& records, const NoiseRecord& more);

/// All that the data say about the weights: adding two of them is fitting on both data sets.
struct SufficientStatistics {
  std::vector<GroupStatistics> groups;
  std::vector<NoiseRecord> noise;  ///< of all rows, whatever their fold
  std::string fingerprint;         ///< of the sparse sets, their factor, E0 and the scales h; only equal ones may be added

  /// Throws InputError if the fingerprints differ.
  SufficientStatistics& operator+=(const SufficientStatistics& other);
  std::int64_t row_count() const;
  /// The folds of each group added up.
  SufficientStatistics without_folds() const;
  bool has_folds() const;
};

}  // namespace gapkit
