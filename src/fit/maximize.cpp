#include "fit/maximize.hpp"

#include <nlopt.h>

#include <algorithm>
#include <exception>
#include <gapkit/core/errors.hpp>
#include <limits>
#include <memory>

namespace gapkit {
namespace {

constexpr int most_stalled = 5;  // evaluations in a row that improve nothing by more than the tolerance

// Data of the C callback.
struct Run {
  const Objective& objective;
  nlopt_opt optimizer;
  Maximum& best;
  double tolerance;
  double worst;                                            // of the values so far
  double mark = -std::numeric_limits<double>::infinity();  // the best value at the last evaluation that improved it
  int stalled = 0;                                         // evaluations since then
  std::exception_ptr thrown = nullptr;
};

double evaluate(unsigned n, const double* x, double* gradient, void* data) {
  Run& run = *static_cast<Run*>(data);
  if (run.thrown) return 0;
  if (run.stalled >= most_stalled) {  // NLopt notices only at the end of its line search
    if (gradient) std::fill(gradient, gradient + n, 0.0);
    return run.best.value;
  }
  try {
    const std::vector<double> point(x, x + n);
    std::vector<double> slope(n, 0.0);
    ++run.best.evaluations;
    double value = 0;
    try {
      value = run.objective(point, slope);
    } catch (const NumericalError&) {
      if (run.best.evaluations == 1) throw;
      if (gradient) std::fill(gradient, gradient + n, 0.0);
      return run.worst - 1;
    }
    run.worst = run.best.evaluations == 1 ? value : std::min(run.worst, value);
    if (value > run.best.value) {
      run.best.value = value;
      run.best.x = point;
    }
    if (gradient) std::copy(slope.begin(), slope.end(), gradient);
    // NLopt checks for convergence after whole line searches only: dozens of evaluations below the tolerance near the maximum.
    if (run.best.value > run.mark + run.tolerance) {
      run.mark = run.best.value;
      run.stalled = 0;
    } else if (++run.stalled >= most_stalled) {
      nlopt_force_stop(run.optimizer);
    }
    return value;
  } catch (...) {  // no exception may pass through C
    run.thrown = std::current_exception();
    nlopt_force_stop(run.optimizer);
    return 0;
  }
}

}  // namespace

Maximum maximize(const Objective& objective, std::vector<double> x, const SearchLimits& limits) {
  Maximum best;
  best.x = x;
  best.value = -std::numeric_limits<double>::infinity();
  if (x.empty()) {
    std::vector<double> no_gradient;
    best.value = objective(x, no_gradient);
    best.evaluations = 1;
    return best;
  }
  double worst = 0;
  for (double before = best.value; best.evaluations < limits.max_evaluations; before = best.value) {
    std::vector<double> from = limits.lower, to = limits.upper;
    for (std::size_t i = 0; i < x.size(); ++i) {
      from[i] = std::max(from[i], best.x[i] - limits.reach);
      to[i] = std::min(to[i], best.x[i] + limits.reach);
    }
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimizer(nlopt_create(NLOPT_LD_LBFGS, static_cast<unsigned>(x.size())),
                                                                      nlopt_destroy);
    if (!optimizer) throw Error("NLopt has no L-BFGS");
    Run run{objective, optimizer.get(), best, limits.tolerance, worst};
    run.mark = best.value;
    nlopt_set_max_objective(optimizer.get(), evaluate, &run);
    nlopt_set_lower_bounds(optimizer.get(), from.data());
    nlopt_set_upper_bounds(optimizer.get(), to.data());
    nlopt_set_ftol_abs(optimizer.get(), 0.1 * limits.tolerance);
    nlopt_set_maxeval(optimizer.get(), limits.max_evaluations - best.evaluations);
    double value = 0;
    std::vector<double> point = best.x;
    nlopt_optimize(optimizer.get(), point.data(), &value);  // whatever it returns: the best point counts
    worst = run.worst;
    if (run.thrown) std::rethrow_exception(run.thrown);
    if (!(best.value - before > limits.tolerance)) break;
  }
  return best;
}

}  // namespace gapkit
