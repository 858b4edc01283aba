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

/// Every structure is left out once; rows that exceed the memory are computed again.
double left_out_seconds(const FitConfiguration& options, const FitPlan& plan) {
  const double bytes = static_cast<double>(plan.rows()) * static_cast<double>(plan.sparse_points()) * sizeof(float);
  const double missing = std::clamp(1 - (options.memory * 1e9 - plan.memory_bytes) / std::max(bytes, 1.0), 0.0, 1.0);
  const auto flop = [&](const char* phase) { return plan.phase_flop.count(phase) ? plan.phase_flop.at(phase) : 0.0; };
  const double more = 2 * flop("gram") + missing * (flop("kernel rows") + flop("whiten"));
  return plan.flop > 0 ? (plan.seconds - plan.search_seconds) * more / plan.flop : 0;
}

}  // namespace

WholeFitSeconds whole_fit_seconds(const FitConfiguration& options, const FitPlan& plan) {
  const double atoms_and_points = static_cast<double>(plan.atoms) * static_cast<double>(plan.sparse_points());
  const bool sets_aside = options.calibration.source == CalibrationOptions::Source::holdout;
  const double holdout = sets_aside ? options.calibration.holdout : 0;
  WholeFitSeconds seconds;
  seconds.first = plan.seconds + error_bar(options) * holdout * atoms_and_points;
  seconds.later = seconds.first - (1 - later_search) * plan.search_seconds;
  if (options.calibration.source == CalibrationOptions::Source::leave_one_out) seconds.first += left_out_seconds(options, plan);
  seconds.rest = 0.3 + holdout * plan.seconds + prediction * atoms_and_points / thread_count();
  return seconds;
}

}  // namespace gapkit
