#include "fit/maximize.hpp"

#include <nlopt.h>

#include <exception>
#include <gapkit/core/errors.hpp>
#include <limits>
#include <memory>

namespace gapkit {
namespace {

// What the C callback sees.
struct Run {
  const Objective& objective;
  nlopt_opt optimizer;
  Maximum& best;
  std::exception_ptr thrown = nullptr;
};

double evaluate(unsigned n, const double* x, double* gradient, void* data) {
  Run& run = *static_cast<Run*>(data);
  if (run.thrown) return 0;
  try {
    const std::vector<double> point(x, x + n);
    std::vector<double> slope(n, 0.0);
    const double value = run.objective(point, slope);
    ++run.best.evaluations;
    if (value > run.best.value) {
      run.best.value = value;
      run.best.x = point;
    }
    if (gradient) std::copy(slope.begin(), slope.end(), gradient);
    return value;
  } catch (...) {  // must not pass through C
    run.thrown = std::current_exception();
    nlopt_force_stop(run.optimizer);
    return 0;
  }
}

}  // namespace

Maximum maximize(const Objective& objective, std::vector<double> x, const std::vector<double>& lower, const std::vector<double>& upper,
                 double tolerance, int max_evaluations) {
  Maximum best;
  best.x = x;
  best.value = -std::numeric_limits<double>::infinity();
  if (x.empty()) {
    std::vector<double> no_gradient;
    best.value = objective(x, no_gradient);
    best.evaluations = 1;
    return best;
  }
  for (double before = best.value; best.evaluations < max_evaluations; before = best.value) {
    const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimizer(nlopt_create(NLOPT_LD_LBFGS, static_cast<unsigned>(x.size())),
                                                                      nlopt_destroy);
    if (!optimizer) throw Error("NLopt has no L-BFGS");
    Run run{objective, optimizer.get(), best};
    nlopt_set_max_objective(optimizer.get(), evaluate, &run);
    nlopt_set_lower_bounds(optimizer.get(), lower.data());
    nlopt_set_upper_bounds(optimizer.get(), upper.data());
    nlopt_set_ftol_abs(optimizer.get(), 0.1 * tolerance);
    nlopt_set_maxeval(optimizer.get(), max_evaluations - best.evaluations);
    double value = 0;
    std::vector<double> point = best.x;
    nlopt_optimize(optimizer.get(), point.data(), &value);  // its verdict does not matter: the best point counts
    if (run.thrown) std::rethrow_exception(run.thrown);
    if (!(best.value - before > tolerance)) break;
  }
  return best;
}

}  // namespace gapkit
