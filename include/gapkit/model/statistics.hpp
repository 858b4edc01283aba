#pragma once

#include <cstdint>
#include <filesystem>
#include <gapkit/core/target.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/math/symmetric_accumulator.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gapkit {

struct Model;

/// Rows that share one noise level σ_g: a property of one class of config types, or rows with a σ of their own (`fixed`).
struct RowGroup {
  Property property = Property::energy;
  std::string config_class = "default";  ///< a config type with its own σ, or "default" for all others
  bool fixed = false;                    ///< each row has its own σ: h_n is this σ and σ_g = 1
  double sigma = 1;                      ///< σ_g: eV, eV/Å, eV
  int fold = 0;                          ///< part of the data for cross-validation

  /// Equal except for fold and σ.
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
  std::vector<double> prior;  ///< τ_t = Σ w k** per term with the prior variance k** of a row; empty if not computed
};

/// Rows of one property and config type by the origin of their σ: noise_level() (model/noise.hpp) needs it for new structures.
struct NoiseRecord {
  Property property = Property::energy;
  std::string config_type = "default";
  std::int64_t own_rows = 0;    ///< with a σ of their own
  double own_square = 0;        ///< Σ (σ_n/h_n)² of these: eV², (eV/Å)², eV²
  std::int64_t class_rows = 0;  ///< with the σ of their class
};

/// Adds to the record of the same property and config type, or appends one.
void add_to(std::vector<NoiseRecord>& records, const NoiseRecord& more);

/// Checksums of frames, the 4096 smallest of them at most: shows whether frames belong to two sets, in memory that does not grow.
class FrameSketch {
 public:
  static constexpr std::size_t most = 4096;

  void add(std::uint64_t checksum);
  FrameSketch& operator+=(const FrameSketch& other);
  bool contains(std::uint64_t checksum) const { return checksums_.contains(checksum); }
  /// Number of checksums that both hold.
  std::int64_t common_with(const FrameSketch& other) const;
  const std::set<std::uint64_t>& checksums() const { return checksums_; }

 private:
  std::set<std::uint64_t> checksums_;
};

/// Sufficient statistics of the weights: the sum of two belongs to both data sets.
struct SufficientStatistics {
  std::vector<GroupStatistics> groups;
  std::vector<NoiseRecord> noise;  ///< of all rows, in all folds
  FrameSketch frames;              ///< of more than one atom; empty in files of early versions
  std::string fingerprint;  ///< of the sparse sets, their factor, E0 and the scales h; only statistics with equal fingerprints may be added

  /// Throws InputError if the fingerprints differ.
  SufficientStatistics& operator+=(const SufficientStatistics& other);
  std::int64_t row_count() const;
  /// Sums up the folds of each group.
  SufficientStatistics without_folds() const;
  bool has_folds() const;
};

/// Rules that make rows from frames, for more rows of the same kind.
struct RowRules {
  TargetKeys keys;
  PerTarget<bool> use = PerTarget<bool>(true);
  bool scale_with_atoms = true;  ///< h = √N where TargetInfo::scales_with_atoms
  std::vector<RowGroup> groups;  ///< all groups of rows, with the σ of the configuration
};

/// Statistics with the data to change σ and δ, to add frames, or to add another model's statistics.
struct StoredStatistics {
  SufficientStatistics statistics;
  RowRules rules;
  std::vector<std::int64_t> amplitudes;  ///< per term; terms with equal numbers share their amplitude

  /// Size in a model file: groups × M(M+1)/2 × 8.
  double bytes() const;
};

/// Statistics with equal fingerprints may be added: of sparse sets, their factor, baselines, reference energies and the rule for h.
std::string statistics_fingerprint(const Model& model);

/// Saves a model with its statistics.
void save_model(const Model& model, const StoredStatistics& statistics, const std::filesystem::path& path);

/// The statistics in the model file that `model` was loaded from. Throws InputError if it has none, or if they are damaged or belong to
/// other sparse points.
StoredStatistics load_statistics(const std::filesystem::path& path, const Model& model);

}  // namespace gapkit
