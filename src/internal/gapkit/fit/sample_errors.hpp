#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Errors of a fit to a sample of the data, left out in five folds.
struct SampleErrors {
  /// Geometric mean over the folds of the root mean squares; energies and virials per √N; NaN: none.
  PerTarget<double> error;
  std::int64_t structures = 0;

  /// Σ log(error) over energies and forces; of virials if there are no others. Infinite if there is none.
  double loss() const;
  std::string text() const;  ///< "12.3 meV/√N, 0.123 eV/Å"
};

/// With at most 300 sparse points of each term, at the σ and δ of the options, or those that cross-validation finds if the options ask for
/// a search. Absent if the sample has fewer than 20 structures, or if a term names environments.
std::optional<SampleErrors> fold_errors_of_sample(const Dataset& training, const FitOptions& options,
                                                  const std::map<int, double>& reference_energies, const ProgressCallback& progress);

/// The plan of that fit, for its time. Absent as there.
std::optional<FitPlan> plan_of_sample(const Dataset& training, const FitOptions& options, const std::map<int, double>& reference_energies);

}  // namespace gapkit
