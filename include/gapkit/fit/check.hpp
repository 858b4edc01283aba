#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// What an examination of configuration and data found (docs/checks.md).
struct CheckReport {
  struct Counts {
    std::int64_t frames = 0, atoms = 0;
    PerTarget<std::int64_t> with;  ///< frames that have the target
  };

  std::map<std::string, Counts> config_types;  ///< of the training data
  TargetReport targets;                        ///< which keys held the targets
  std::optional<FitPlan> plan;                 ///< absent if errors kept it from being made
  std::vector<CheckFinding>
      findings;  ///< errors first, then warnings, then notes; at most a few of a kind and a last one that counts the others

  std::int64_t errors = 0, warnings = 0, notes = 0;  ///< found, those that are not listed included
};

/// Examines training and validation data and what the configuration makes of them, without fitting: one pass over the data, the same
/// that begins every fit. Throws nothing for mistakes in the data: they are findings.
///
/// Memory: about 100 bytes per frame, and the largest frame.
CheckReport check_training_data(const FitData& data, const FitOptions& options, const ProgressCallback& progress = {});

}  // namespace gapkit
