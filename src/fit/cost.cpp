#include "fit/cost.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/math/linear_algebra.hpp>

namespace gapkit {
namespace {

constexpr double steps_of_search = 26;      // usual number of evaluations until σ and δ have converged
constexpr double memory_speed = 7e9;        // bytes per second of one thread that adds packed matrices
constexpr double passes_of_fold = 20;       // over a packed matrix, for any number of groups
constexpr double factor_efficiency = 0.4;   // speed of a Cholesky factorisation of a thousand rows, relative to DGEMM
constexpr double inverse_and_traces = 2;    // of an evidence with gradient, in M³
constexpr double small_products = 2;        // time of whitening and Gram sums, relative to DGEMM
constexpr double select_efficiency = 0.08;  // speed of the selection, relative to DGEMM: limited by memory

/// Time of one evaluation of the objective of [optimize].
double seconds_of_step(const FitOptions& options, const FitPlan& plan, double flop_per_second) {
  const auto m = static_cast<double>(plan.sparse_points());
  const double triangle = 4 * m * m;  // bytes
  if (options.optimize.objective != OptimizeOptions::Objective::cross_validation)
    return inverse_and_traces * m * m * m / flop_per_second + 4 * plan.gram_groups * triangle / memory_speed;
  // Each fold: one factorisation; products of every sum with the weights, and once more for the gradient.
  const int folds = std::max(1, options.optimize.folds), lanes = CrossValidation::lanes(plan.sparse_points(), folds);
  const double groups = static_cast<double>(plan.gram_groups) / folds, turns = std::ceil(static_cast<double>(folds) / lanes);
  const double speed = factor_efficiency * flop_per_second * (lanes > 1 ? 1.0 / thread_count() : 1.0);
  const double passes = passes_of_fold + groups * (2 * folds - 1);
  return turns * (m * m * m / 3 / speed + passes * triangle / memory_speed);
}

/// Flop of the selection, done at select_efficiency of the speed of DGEMM.
double selection_flop(const FitOptions& options, const FitPlan& plan) {
  double flop = 0;
  for (const FitPlan::TermPlan& term : plan.terms) {
    double candidates = static_cast<double>(term.candidates);
    for (const TermOptions& t : options.terms)
      if (term.label.starts_with(t.name + " ")) candidates = std::min(candidates, static_cast<double>(t.max_candidates));
    flop += candidates * term.sparse_points * (term.sparse_points + 2.0 * term.features + flop_of_few_features);
  }
  return flop;
}

}  // namespace

void estimate_seconds(const FitOptions& options, double flop_per_second, FitPlan& plan) {
  const auto m = static_cast<double>(plan.sparse_points());
  double flop = selection_flop(options, plan) / select_efficiency + 4 * m * m * m;  // K_MM, its factor, the solution
  for (const auto& [phase, count] : plan.phase_flop) flop += (phase == "kernel rows" ? 1.0 : small_products) * count;
  plan.search_seconds =
      options.optimize.objective == OptimizeOptions::Objective::none
          ? 0.0
          : std::min<double>(steps_of_search, options.optimize.max_evaluations) * seconds_of_step(options, plan, flop_per_second);
  plan.seconds = 1.25 * flop / flop_per_second + plan.search_seconds;
}

}  // namespace gapkit
