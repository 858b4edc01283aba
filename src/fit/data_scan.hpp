#pragma once

#include <functional>
#include <gapkit/core/progress.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/fit/fit.hpp>

#include "fit/row_targets.hpp"

namespace gapkit {

/// A term of the configuration made concrete for one combination of elements; its sparse points are still to be chosen.
struct TermDraft {
  const TermOptions* options = nullptr;
  std::vector<int> species;
  std::shared_ptr<const Descriptor> descriptor;
  EnvironmentCount count = {};  ///< in the training data
  /// The training data have no environment of this combination and no file gives sparse points for it: the term gets none, but the
  /// model remembers that it has not seen it.
  bool is_empty = false;

  std::string combination() const { return combination_name(species); }
  double delta() const;
  double jitter(const FitOptions& fit) const;  ///< eV², added to the diagonal of K_MM
  /// The term without its sparse points.
  Term make_term(const std::vector<int>& elements, const Parameters& kernel_parameters) const;
  bool is_listed() const { return options->selection == "file" || options->selection == "indices"; }
  int n_sparse() const;
  /// Asked for, of so many environments; 0 if they are listed in a file or there are no environments.
  int sparse_points(std::int64_t environments) const;
  /// Of a file of sparse points.
  SparseSet read_listed_points(const std::string& file) const;
};

/// What one pass over the training frames finds out.
struct DataScan {
  FitPlan plan;
  std::vector<TermDraft> drafts;
  std::string data_fingerprint;
  ShortestDistances shortest_distances;  ///< in the frames with rows

  /// The file with sparse points or indices that the configuration names for a draft; "" stands for all combinations, which makes
  /// sense for a single one only. Throws InputError if there is none.
  std::string listed_file(const TermDraft& draft) const;
};

class TrainingFacts;
using PlanWarning = std::function<void(const std::string& message)>;

/// The plan of a fit to the frames that the facts were collected from. Throws InputError for whatever would stop the fit.
DataScan plan_of_facts(const FitOptions& options, const TrainingFacts& facts, const PlanWarning& warn);

/// One pass over frames of data that have been examined.
DataScan scan_frames(const Dataset& training, const FitOptions& options, const ProgressCallback& progress);

/// One pass over all data, which examines them (fit/check.hpp): throws InputError with the first error and the number of the others, tells
/// warnings to `progress`. The plan is that of a fit to the training frames but those `held_out` (numbers, ascending).
DataScan scan_training_data(const FitData& data, const std::vector<std::int64_t>& held_out, const FitOptions& options,
                            const ProgressCallback& progress);

}  // namespace gapkit
