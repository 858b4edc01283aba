#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/fit/evidence.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/model/noise.hpp>
#include <map>

#include "fit/maximize.hpp"

namespace gapkit {
namespace {

constexpr double fold_error_tolerance = 1e-3;  // of the logarithm: rounding limits fold errors of small σ to about 1e-4

using Kind = OptimizeOptions::Objective;

// Which free logarithm each group's σ and each term's amplitude follows; −1: none.
struct Unknowns {
  std::vector<int> of_group, of_term;
  std::vector<std::string> names;

  int add(std::string name) {
    names.push_back(std::move(name));
    return static_cast<int>(names.size()) - 1;
  }
};

// Cross-validation: σ of properties whose errors have no weight cannot be judged by errors. They change like those of a property with
// weight, forces first, of the same class or of the default class.
void follow_weighted_properties(const std::vector<GroupStatistics>& groups, const PerTarget<double>& weights, Unknowns& unknowns) {
  const auto unknown_of = [&](const std::string& config_class) {
    int found = -1;
    bool is_of_atoms = false;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const RowGroup& group = groups[g].group;
      if (!(weights[group.property] > 0) || group.config_class != config_class || unknowns.of_group[g] < 0 || is_of_atoms) continue;
      is_of_atoms = target_info(group.property).is_per_atom;
      if (found < 0 || is_of_atoms) found = unknowns.of_group[g];
    }
    return found;
  };
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (weights[groups[g].group.property] > 0 || groups[g].group.fixed) continue;
    const int own = unknown_of(groups[g].group.config_class);
    unknowns.of_group[g] = own >= 0 ? own : unknown_of("default");
  }
}

Unknowns choose_unknowns(const SufficientStatistics& statistics, std::span<const Term> terms, const std::vector<std::int64_t>& amplitudes,
                         const OptimizeOptions& options) {
  Unknowns unknowns;
  const auto& groups = statistics.groups;
  unknowns.of_group.assign(groups.size(), -1);
  unknowns.of_term.assign(terms.size(), -1);
  const auto is_large = [&](const GroupStatistics& g) { return !g.group.fixed && g.count >= options.min_rows; };
  const auto is_judged = [&](const GroupStatistics& g) {
    return options.objective != Kind::cross_validation || options.weights[g.group.property] > 0;
  };
  if (options.sigma) {
    for (std::size_t g = 0; g < groups.size(); ++g)
      if (is_large(groups[g]) && is_judged(groups[g]))
        unknowns.of_group[g] = unknowns.add(std::string("sigma of property '") + property_name(groups[g].group.property) + "', class '" +
                                            groups[g].group.config_class + "'");
    for (std::size_t g = 0; g < groups.size(); ++g)
      for (std::size_t d = 0; d < groups.size(); ++d)
        if (!is_large(groups[g]) && !groups[g].group.fixed && is_large(groups[d]) && groups[d].group.config_class == "default" &&
            groups[d].group.property == groups[g].group.property)
          unknowns.of_group[g] = unknowns.of_group[d];
    if (options.objective == Kind::cross_validation) follow_weighted_properties(groups, options.weights, unknowns);
  }
  if (options.delta) {
    std::map<std::int64_t, int> known;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const auto [entry, is_new] = known.try_emplace(amplitudes.at(t), -1);
      if (is_new) entry->second = unknowns.add("delta of term '" + terms[t].name + "'");
      unknowns.of_term[t] = entry->second;
    }
  }
  return unknowns;
}

// σ and s at a point of the logarithms of their changes.
HyperparameterState changed(const HyperparameterState& start, const Unknowns& unknowns, const std::vector<double>& x) {
  HyperparameterState state = start;
  for (std::size_t g = 0; g < state.sigma.size(); ++g)
    if (const int p = unknowns.of_group[g]; p >= 0) state.sigma[g] *= std::exp(x[static_cast<std::size_t>(p)]);
  for (std::size_t t = 0; t < state.delta_ratio.size(); ++t)
    if (const int p = unknowns.of_term[t]; p >= 0) state.delta_ratio[t] *= std::exp(x[static_cast<std::size_t>(p)]);
  return state;
}

std::vector<double> gathered(const Unknowns& unknowns, const std::vector<double>& by_group, const std::vector<double>& by_term,
                             double factor) {
  std::vector<double> gradient(unknowns.names.size(), 0.0);
  for (std::size_t g = 0; g < by_group.size(); ++g)
    if (const int p = unknowns.of_group[g]; p >= 0) gradient[static_cast<std::size_t>(p)] += factor * by_group[g];
  for (std::size_t t = 0; t < by_term.size(); ++t)
    if (const int p = unknowns.of_term[t]; p >= 0) gradient[static_cast<std::size_t>(p)] += factor * by_term[t];
  return gradient;
}

// Statistics with and without folds, and both objectives on them.
class Objectives {
 public:
  Objectives(const SufficientStatistics& statistics, std::span<const Term> terms, const OptimizeOptions& options)
      : divided_(statistics),
        merged_(statistics.has_folds() ? statistics.without_folds() : SufficientStatistics{}),
        evidence_(merged(), sparse_offsets(terms), options.objective == Kind::vfe) {
    if (!statistics.has_folds()) return;
    for (const GroupStatistics& g : divided_.groups)
      for (std::size_t i = 0; i < merged().groups.size(); ++i)
        if (merged().groups[i].group.same_noise(g.group)) merged_index_.push_back(i);
    cross_validation_.emplace(divided_, sparse_offsets(terms), options.weights);
  }

  const SufficientStatistics& merged() const { return divided_.has_folds() ? merged_ : divided_; }
  bool has_folds() const { return cross_validation_.has_value(); }

  Evidence::Value evidence(const HyperparameterState& state, bool with_gradient) {
    return evidence_.compute(state.sigma, state.delta_ratio, with_gradient);
  }

  // Sums over the folds: residual squares and gradient belong to the merged groups.
  CrossValidation::Value cross_validation(const HyperparameterState& state, bool with_gradient) {
    std::vector<double> sigma;
    for (const std::size_t g : merged_index_) sigma.push_back(state.sigma[g]);
    CrossValidation::Value value = cross_validation_->compute(sigma, state.delta_ratio, with_gradient);
    for (std::vector<double>* by_group : {&value.residual_square, &value.log_sigma_gradient}) {
      std::vector<double> sum(state.sigma.size(), 0.0);
      for (std::size_t i = 0; i < merged_index_.size(); ++i) sum[merged_index_[i]] += (*by_group)[i];
      *by_group = std::move(sum);
    }
    return value;
  }

  // Factor from errors over h to eV, eV/Å, eV: 1 except for rows with a σ of their own, whose h is this σ.
  double unit(std::size_t group) const {
    const RowGroup& g = merged().groups[group].group;
    const double given = g.fixed ? own_noise(merged().noise, g.property) : 0;
    return given > 0 ? given : 1;
  }

  /// Rows of each merged group that folds leave out.
  std::vector<std::int64_t> left_out_rows() const {
    std::vector<std::int64_t> rows(merged().groups.size(), 0);
    for (std::size_t i = 0; i < merged_index_.size(); ++i)
      if (divided_.groups[i].group.fold != never_left_out) rows[merged_index_[i]] += divided_.groups[i].count;
    return rows;
  }

  void assess(HyperparameterState& state) {
    const auto& groups = merged().groups;
    const auto root_mean = [&](const std::vector<double>& square, const std::vector<double>& rows) {
      std::vector<double> result;
      for (std::size_t g = 0; g < groups.size(); ++g) result.push_back(rows[g] > 0 ? unit(g) * std::sqrt(square[g] / rows[g]) : 0);
      return result;
    };
    std::vector<double> all(groups.size(), 0.0);
    for (std::size_t g = 0; g < groups.size(); ++g) all[g] = static_cast<double>(groups[g].count);
    const std::vector<std::int64_t> counts = left_out_rows();
    const std::vector<double> left_out(counts.begin(), counts.end());
    const Evidence::Value value = evidence(state, false);
    state.log_evidence = value.log_evidence;
    state.residual = root_mean(value.residual_square, all);
    if (has_folds()) state.fold_error = root_mean(cross_validation(state, false).residual_square, left_out);
  }

 private:
  const SufficientStatistics& divided_;
  SufficientStatistics merged_;
  std::vector<std::size_t> merged_index_;  // of each divided group
  Evidence evidence_;
  std::optional<CrossValidation> cross_validation_;
};

// A common factor of all σ and δ does not change errors; the evidence determines it, also where the ratios of the δ stay: without it σ runs
// far below the errors where the fold errors want a larger δ.
void settle_common_factor(Objectives& objectives, const Unknowns& unknowns, HyperparameterState& state) {
  const auto& groups = objectives.merged().groups;
  double rows = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups[g].count > 0 && unknowns.of_group[g] < 0) return;
    rows += static_cast<double>(groups[g].count);
  }
  // −½ [ n log c² + (Σ RSS/σ² + |u|²)/c² ] is largest at c² = (Σ RSS/σ² + |u|²)/n; its derivative at c = 1 is the sum of all derivatives.
  const Evidence::Value value = objectives.evidence(state, true);
  double slope = 0;
  for (const double d : value.log_sigma_gradient) slope += d;
  for (const double d : value.log_delta_gradient) slope += d;
  const double factor = std::sqrt((slope + rows) / rows);
  if (!std::isfinite(factor) || !(factor > 0)) return;
  for (double& sigma : state.sigma) sigma *= factor;
  for (double& delta_ratio : state.delta_ratio) delta_ratio *= factor;
}

/// The report before an optimisation.
OptimizationReport report_before(Objectives& objectives, std::span<const Term> terms, const std::vector<double>& delta_ratio) {
  OptimizationReport report;
  for (const GroupStatistics& g : objectives.merged().groups) {
    report.groups.push_back(g.group);
    report.rows.push_back(g.count);
    report.before.sigma.push_back(g.group.fixed ? 1.0 : g.group.sigma);
    report.given_sigma.push_back(g.group.fixed ? own_noise(objectives.merged().noise, g.group.property) : 0);
  }
  for (const Term& term : terms) {
    report.terms.push_back(term.label());
    report.delta.push_back(term.delta);
  }
  report.left_out = objectives.left_out_rows();
  report.before.delta_ratio = delta_ratio;
  objectives.assess(report.before);
  report.after = report.before;
  return report;
}

void warn_of_bounds(const Unknowns& unknowns, const Maximum& best, const OptimizeOptions& options, OptimizationReport& report) {
  const double limit = std::log(options.max_factor);
  for (std::size_t p = 0; p < unknowns.names.size(); ++p)
    if (std::abs(best.x[p]) > 0.999 * limit)
      report.warnings.push_back(unknowns.names[p] + " stopped at its bound, " + (best.x[p] > 0 ? "" : "1/") +
                                std::to_string(static_cast<long>(std::lround(options.max_factor))) +
                                " of its start; look at the data of this class, or start elsewhere");
  if (best.evaluations >= options.max_evaluations)
    report.warnings.push_back("the optimisation stopped after " + std::to_string(best.evaluations) +
                              " steps ([optimize] max_evaluations) before it converged");
}

}  // namespace

const std::vector<std::string>& objective_names() {
  static const std::vector<std::string> names = {"none", "evidence", "cross_validation", "vfe"};
  return names;
}

OptimizeOptions::Objective objective_of(const std::string& name) {
  const auto found = std::find(objective_names().begin(), objective_names().end(), name);
  if (found == objective_names().end()) throw Error("there is no objective '" + name + "'");
  return static_cast<Kind>(found - objective_names().begin());
}

OptimizationReport optimize(const StoredStatistics& stored, std::span<const Term> terms, const std::vector<double>& delta_ratio,
                            const OptimizeOptions& options, const ProgressCallback& progress) {
  const Stopwatch stopwatch;
  Objectives objectives(stored.statistics, terms, options);
  if (options.objective == Kind::cross_validation && !objectives.has_folds())
    throw InputError("cross-validation needs statistics in folds: fit with [optimize] folds = 5 (or another number above 1)");
  OptimizationReport report = report_before(objectives, terms, delta_ratio);
  report.objective = options.objective;
  if (options.objective != Kind::none) {
    const Unknowns unknowns = choose_unknowns(objectives.merged(), terms, stored.amplitudes, options);
    const auto& groups = objectives.merged().groups;
    if (options.sigma && std::all_of(groups.begin(), groups.end(), [](const GroupStatistics& g) { return g.group.fixed; }))
      report.warnings.push_back(std::string("all rows brought a sigma of their own, which stays: ") +
                                (options.delta ? "only delta is optimised" : "there is nothing to optimise"));
    const bool is_evidence = options.objective != Kind::cross_validation;
    const double unit = is_evidence ? 1 / static_cast<double>(stored.statistics.row_count()) : 1.0;
    const Objective objective = [&](const std::vector<double>& x, std::vector<double>& gradient) {
      const HyperparameterState state = changed(report.before, unknowns, x);
      ++report.evaluations;
      if (progress) progress({.phase = "optimize", .done = static_cast<double>(report.evaluations), .unit = "steps"});
      if (is_evidence) {
        const Evidence::Value value = objectives.evidence(state, true);
        // Rounding dominates there.
        if (value.rounding > 1 && report.evaluations > 1) throw NumericalError("sigma is too small for the rounding of the data");
        report.trace.push_back(value.log_evidence);
        gradient = gathered(unknowns, value.log_sigma_gradient, value.log_delta_gradient, unit);
        return unit * value.log_evidence;  // per row, so that the first step of the search is of order one
      }
      const CrossValidation::Value value = objectives.cross_validation(state, true);
      report.trace.push_back(-value.loss);
      gradient = gathered(unknowns, value.log_sigma_gradient, value.log_delta_gradient, -1);
      return -value.loss;
    };
    const double bound = std::log(options.max_factor);
    const std::size_t count = unknowns.names.size();
    std::vector<double> begin_at(count, 0.0);
    for (std::size_t p = 0; p < count; ++p)
      if (const auto found = options.start.find(unknowns.names[p]); found != options.start.end())
        begin_at[p] = std::clamp(found->second, -bound, bound);
    const Maximum best = maximize(objective, begin_at,
                                  {.lower = std::vector<double>(count, -bound),
                                   .upper = std::vector<double>(count, bound),
                                   .reach = std::log(5.0),
                                   .tolerance = is_evidence ? 0.01 * unit : fold_error_tolerance,
                                   .max_evaluations = options.max_evaluations});
    for (std::size_t p = 0; p < count; ++p) report.factors.emplace(unknowns.names[p], best.x[p]);
    report.after = changed(report.before, unknowns, best.x);
    warn_of_bounds(unknowns, best, options, report);
    if (options.objective == Kind::cross_validation) settle_common_factor(objectives, unknowns, report.after);
    objectives.assess(report.after);
  }
  report.seconds = stopwatch.seconds();
  if (progress)
    for (const std::string& warning : report.warnings) progress({.phase = "optimize", .message = warning, .is_warning = true});
  return report;
}

void solve_model(Model& model, const SufficientStatistics& statistics, const HyperparameterState& state) {
  if (statistics.has_folds()) {
    model.posterior = solve_posterior(statistics.without_folds(), model.factor, state.delta_ratio, &state.sigma);
  } else {
    model.posterior = solve_posterior(statistics, model.factor, state.delta_ratio, &state.sigma);
  }
  model.weights = kernel_weights(model.factor, model.posterior);
  if (!model.weights.allFinite()) throw NumericalError("the weights came out as NaN or infinity");
}

}  // namespace gapkit
