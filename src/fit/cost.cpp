#include "fit/cost.hpp"

#include <algorithm>

namespace gapkit {
namespace {

constexpr double steps_of_search = 26;     // evaluations until σ and δ have converged, usually
constexpr double memory_speed = 8e9;       // bytes per second of one thread that adds packed matrices
constexpr double passes_of_fold = 20;      // over a packed matrix, whatever the number of groups
constexpr double inverse_and_traces = 2;   // of an evidence with gradient, in M³
constexpr double kernel_rows_share = 0.4;  // flop that are done, of those counted: the two ends of a pair share their features

/// One evaluation of the objective of [optimize].
double seconds_of_step(const FitOptions& options, const FitPlan& plan, double flop_per_second) {
  const auto m = static_cast<double>(plan.sparse_points());
  const double triangle = 4 * m * m;  // bytes
  if (options.optimize.objective != OptimizeOptions::Objective::cross_validation)
    return inverse_and_traces * m * m * m / flop_per_second + 4 * plan.gram_groups * triangle / memory_speed;
  const double folds = std::max(1, options.optimize.folds), groups = plan.gram_groups / folds;
  // Each fold: one factorisation; products of every sum with the weights, and once more for the gradient.
  return folds * (m * m * m / 3 / flop_per_second + (passes_of_fold + groups * (2 * folds - 1)) * triangle / memory_speed);
}

double selection_flop(const FitOptions& options, const FitPlan& plan) {
  double flop = 0;
  for (const FitPlan::TermPlan& term : plan.terms) {
    double candidates = static_cast<double>(term.candidates);
    for (const TermOptions& t : options.terms)
      if (term.label.starts_with(t.name + " ")) candidates = std::min(candidates, static_cast<double>(t.max_candidates));
    flop += candidates * term.sparse_points * (term.sparse_points + 2.0 * term.features);
  }
  return flop;
}

}  // namespace

double estimated_seconds(const FitOptions& options, const FitPlan& plan, double flop_per_second) {
  const auto m = static_cast<double>(plan.sparse_points());
  double flop = selection_flop(options, plan) + 4 * m * m * m;  // K_MM, its factor, the solution
  for (const auto& [phase, count] : plan.phase_flop) flop += (phase == "kernel rows" ? kernel_rows_share : 1.0) * count;
  double seconds = 1.25 * flop / flop_per_second;
  if (options.optimize.objective != OptimizeOptions::Objective::none)
    seconds += std::min<double>(steps_of_search, options.optimize.max_evaluations) * seconds_of_step(options, plan, flop_per_second);
  return seconds;
}

}  // namespace gapkit
