#include <algorithm>
#include <gapkit/config/whole_fit.hpp>
#include <gapkit/math/linear_algebra.hpp>

namespace gapkit {
namespace {

constexpr double later_search = 0.5;  // steps of the search for σ in later rounds, relative to the first, whose result they start from
constexpr double prediction = 1e-7;   // s of an atom and sparse point, one thread, energy and forces

/// s of an atom and sparse point: error bars.
double error_bar(const FitConfiguration& options) {
  const bool has_triplets =
      std::any_of(options.terms.begin(), options.terms.end(), [](const TermOptions& term) { return term.descriptor == "three_body"; });
  return has_triplets ? 6e-6 : 2e-6;
}

}  // namespace

WholeFitSeconds whole_fit_seconds(const FitConfiguration& options, const FitPlan& plan) {
  const double atoms_and_points = static_cast<double>(plan.atoms) * static_cast<double>(plan.sparse_points());
  const double holdout = options.calibration.holdout;
  const bool sets_aside = options.calibration.source == CalibrationOptions::Source::holdout;
  WholeFitSeconds seconds;
  seconds.first = plan.seconds + (sets_aside ? error_bar(options) * holdout * atoms_and_points : 0);
  seconds.later = seconds.first - (1 - later_search) * plan.search_seconds;
  seconds.rest = 0.3 + holdout * plan.seconds + prediction * atoms_and_points / thread_count();
  return seconds;
}

}  // namespace gapkit
