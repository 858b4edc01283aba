#pragma once

#include <functional>
#include <gapkit/core/progress.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/sparsify/selection.hpp>

#include "fit/row_targets.hpp"

namespace gapkit {

/// A term of the configuration for one combination of elements, before its sparse points are chosen.
struct TermDraft {
  const TermOptions* options = nullptr;
  std::vector<int> species;
  std::shared_ptr<const Descriptor> descriptor;
  EnvironmentCount count = {};  ///< in the training data
  /// True if the training data have no environment of this combination and no file gives sparse points for it. The term stays in the
  /// model without points, so that predictions know of it.
  bool is_empty = false;

  std::string combination() const { return combination_name(species); }
  double delta() const;
  double jitter(const FitOptions& fit) const;  ///< eV², added to the diagonal of K_MM
  /// The term without its sparse points.
  Term make_term(const std::vector<int>& elements, const Parameters& kernel_parameters) const;
  bool is_listed() const { return options->selection == "file" || options->selection == "indices"; }
  int n_sparse() const;
  /// Number asked for among these environments; 0 if the points are listed in a file or there are no environments.
  int sparse_points(std::int64_t environments) const;
  /// Reads a file of sparse points.
  SparseSet read_listed_points(const std::string& file) const;
};

/// Result of one pass over the training frames.
struct DataScan {
  FitPlan plan;
  std::vector<TermDraft> drafts;
  std::string data_fingerprint;
  ShortestDistances shortest_distances;  ///< in the frames with rows
  /// Of each draft, if they were gathered in the same pass (EarlyCandidates).
  std::optional<std::vector<Candidates>> candidates = {};

  /// The file with sparse points or indices of a draft; a file for all combinations is allowed for a single one only. Throws InputError
  /// if the configuration names none.
  std::string listed_file(const TermDraft& draft) const;
};

/// Drafts of all terms and combinations for data with these elements (ascending); their environments are not counted yet.
/// Throws InputError if a term names an element or combination that does not occur.
std::vector<TermDraft> drafts_of(const FitOptions& options, const std::vector<int>& elements);

class TrainingFacts;
using PlanWarning = std::function<void(const std::string& message)>;

/// The plan of a fit to the frames that the facts were collected from. Throws InputError for every mistake that would stop the fit.
DataScan plan_of_facts(const FitOptions& options, const TrainingFacts& facts, const PlanWarning& warn);

/// One pass over frames of data that have been examined; gathers candidates if it can.
DataScan scan_frames(const Dataset& training, const FitOptions& options, const ProgressCallback& progress);

/// Throws InputError if reference energies need a frame of one atom that the data lack, from the summary alone: before long work that
/// precedes the scan.
void check_single_atoms(const Dataset& training, const FitOptions& options);

struct ScanRequest {
  std::vector<std::int64_t> held_out = {};  ///< training frames that are examined only (numbers, ascending): the plan leaves them out
  bool gathers_candidates = false;          ///< if it can
};

/// One pass over all data, which examines them (fit/check.hpp). Throws InputError with the first error and the number of further ones;
/// warnings go to `progress`.
DataScan scan_training_data(const FitData& data, const ScanRequest& request, const FitOptions& options, const ProgressCallback& progress);

/// The same pass, for several plans: facts on all training frames. The options must outlive them.
TrainingFacts facts_of_training_data(const FitData& data, const FitOptions& options);

}  // namespace gapkit
