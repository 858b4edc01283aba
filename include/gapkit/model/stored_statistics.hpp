#pragma once

#include <gapkit/io/targets.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

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
