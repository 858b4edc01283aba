#pragma once

#include <cstdint>
#include <filesystem>
#include <gapkit/core/target.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/math/symmetric_accumulator.hpp>
#include <map>
#include <string>
#include <vector>

namespace gapkit {

struct Model;

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

/// How rows are made from frames: what must be known to add more of them.
struct RowRules {
  TargetKeys keys;
  PerTarget<bool> use = PerTarget<bool>(true);
  bool scale_with_atoms = true;  ///< h = √N where TargetInfo::scales_with_atoms
  std::vector<RowGroup> groups;  ///< all that a row may belong to, with the σ of the configuration
};

/// Statistics with all that is needed to go on with them: to change σ and δ, to add data, to add another model's statistics.
struct StoredStatistics {
  SufficientStatistics statistics;
  RowRules rules;
  std::vector<std::int64_t> amplitudes;  ///< per term; terms with equal numbers share their amplitude

  /// In a model file: groups × M(M+1)/2 × 8.
  double bytes() const;
};

/// What statistics must share to be added: sparse sets, their factor, baselines, reference energies and the rule for the scales h.
std::string statistics_fingerprint(const Model& model);

/// A model file that holds the statistics besides.
void save_model(const Model& model, const StoredStatistics& statistics, const std::filesystem::path& path);

/// The statistics in the model file that `model` was loaded from. Throws InputError if it has none, or if they are damaged or belong to
/// other sparse points.
StoredStatistics load_statistics(const std::filesystem::path& path, const Model& model);

}  // namespace gapkit
