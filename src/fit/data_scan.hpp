#pragma once

#include <gapkit/core/progress.hpp>
#include <gapkit/fit/fit.hpp>

#include "fit/row_targets.hpp"

namespace gapkit {

/// A term of the configuration made concrete for one combination of elements; its sparse points are still to be chosen.
struct TermDraft {
  const TermOptions* options = nullptr;
  std::vector<int> species;
  std::shared_ptr<const Descriptor> descriptor;

  std::string combination() const { return combination_name(species); }
  double delta() const;
  int sparse_points() const;   ///< asked for; 0 with a file or indices
};

/// What one pass over the training files finds out.
struct DataScan {
  FitPlan plan;
  std::vector<TermDraft> drafts;
  std::string data_fingerprint;
};

DataScan scan_training_data(const FitOptions& options, const ProgressCallback& progress);

}  // namespace gapkit
