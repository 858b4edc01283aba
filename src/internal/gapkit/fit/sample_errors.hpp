#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Of each term and combination in fits to a sample.
inline constexpr int most_points_of_sample = 300;

/// Errors of a fit to a sample of the data, left out in folds: ten, or as many as the options ask for if these are more.
struct SampleErrors {
  /// Geometric mean over the folds of the root mean squares; energies and virials per √N; NaN: none.
  PerTarget<double> error;
  PerTarget<double> pooled;  ///< root mean square over all folds, which few structures far from all others may make
  std::int64_t structures = 0;
  int folds = 0;
  std::map<std::string, double> factors;  ///< of σ and δ that a search has found (OptimizeOptions::start)

  /// Σ log(error) over energies and forces; of virials if there are no others. Infinite if there is none.
  double loss() const;
  std::string text() const;  ///< "12.3 meV/√N, 0.123 eV/Å"
};

/// With at most `most_points` sparse points of each term and combination, at the σ and δ of the options, or those that cross-validation
/// finds if the options ask for a search. Absent if the sample has fewer than 20 structures, or if a term names environments.
std::optional<SampleErrors> fold_errors_of_sample(const Dataset& training, const FitOptions& options,
                                                  const std::map<int, double>& reference_energies, const ProgressCallback& progress,
                                                  int most_points = most_points_of_sample);

/// The plan of that fit, for its time and memory; the limit of memory does not count. Absent as there.
std::optional<FitPlan> plan_of_sample(const Dataset& training, const FitOptions& options, const std::map<int, double>& reference_energies,
                                      int most_points = most_points_of_sample);

}  // namespace gapkit
