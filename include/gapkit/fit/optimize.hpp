#pragma once

#include <gapkit/core/progress.hpp>
#include <gapkit/fit/options.hpp>
#include <gapkit/model/stored_statistics.hpp>

namespace gapkit {

/// Names of the objectives, in the order of OptimizeOptions::Objective: none, evidence, cross_validation, vfe.
const std::vector<std::string>& objective_names();
inline const std::string& objective_name(OptimizeOptions::Objective objective) {
  return objective_names()[static_cast<std::size_t>(objective)];
}
/// Throws Error if there is no such name.
OptimizeOptions::Objective objective_of(const std::string& name);

/// Noise levels and amplitudes, and how well they do.
struct HyperparameterState {
  std::vector<double> sigma;       ///< σ_g of each group; 1 for rows with a σ of their own
  std::vector<double> scale;       ///< s_t = δ_t/δ_t^ref of each term
  double log_evidence = 0;         ///< with objective vfe its lower bound
  std::vector<double> residual;    ///< root mean square of (y − prediction)/h over each group's own training rows: to compare with σ
  std::vector<double> fold_error;  ///< the same, predicted without the row's fold; empty if there are no folds
};

/// What an optimisation of σ and δ did.
struct OptimizationReport {
  OptimizeOptions::Objective objective = OptimizeOptions::Objective::none;
  std::vector<RowGroup> groups;       ///< with the σ before
  std::vector<std::int64_t> rows;     ///< of each group
  std::vector<double> given_sigma;    ///< of each group whose rows brought their own: root mean square of σ_n/h_n; else, or if unknown, 0
  std::vector<std::string> terms;     ///< labels
  std::vector<double> delta;          ///< δ_t^ref, eV: what the scales multiply
  HyperparameterState before, after;  ///< equal if nothing was optimised
  std::map<std::string, double> factors;  ///< logarithm of the factor that each free σ and δ was multiplied by, by its name
  int evaluations = 0;                    ///< of the objective with its gradient
  std::vector<double> trace;  ///< log evidence (or bound), or minus the cross-validation loss, at each evaluation that succeeded
  double seconds = 0;
  std::vector<std::string> warnings;  ///< parameters that stopped at a bound
};

/// Changes σ and δ so that the objective is best, from sufficient statistics alone (L-BFGS in the logarithms, methods.md, section 4).
///
/// The groups' own σ and `scale` (one per term) are the start. Free are the σ of each property and class, and the amplitudes; terms with
/// equal numbers in stored.amplitudes share one. A class with fewer than min_rows rows of a property has its σ multiplied by the factor
/// of the default class, or left alone if there is none; σ that came with the data stays. With objective `none` the start is assessed only.
/// Cost: M³ flop per step for the evidence, and M³/3 per step and fold for cross-validation.
/// `terms`: for labels and δ. Throws InputError if the objective needs folds and there are none.
OptimizationReport optimize(const StoredStatistics& stored, std::span<const Term> terms, const std::vector<double>& scale,
                            const OptimizeOptions& options, const ProgressCallback& progress = {});

/// Solves again at the given σ (one per group of statistics.without_folds(), in its order) and scales; changes posterior and weights.
void solve_model(Model& model, const SufficientStatistics& statistics, const HyperparameterState& state);

}  // namespace gapkit
