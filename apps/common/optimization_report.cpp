#include "optimization_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <numeric>

#include "target_words.hpp"

namespace gapkit::apps {
namespace {

using Objective = OptimizeOptions::Objective;

std::string name_of(const RowGroup& group) {
  return fmt::format("{} {}{}", property_name(group.property), group.config_class, group.fixed ? " (own)" : "");
}

std::string given_sigma(double root_mean_square) {
  return root_mean_square > 0 ? fmt::format("given, rms {:.4g}", root_mean_square) : "given";
}

}  // namespace

Objective objective_from(const std::string& name, const std::string& option) {
  const auto& names = objective_names();
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw InputError(fmt::format("{}: unknown objective '{}'{}", option, name, suggestion(name, names)));
  return objective_of(name);
}

std::string optimization_text(const OptimizationReport& r) {
  const bool has_folds = !r.after.fold_error.empty();
  std::string out = r.objective == Objective::none ? std::string("Noise levels and amplitudes\n")
                                                   : fmt::format("Noise levels and amplitudes, optimised by {} ({} steps, {:.1f} s)\n",
                                                                 objective_name(r.objective), r.evaluations, r.seconds);
  std::size_t width = 26;
  for (const RowGroup& group : r.groups) width = std::max(width, name_of(group).size() + 2);
  for (const std::string& term : r.terms) width = std::max(width, term.size() + 8);
  out += fmt::format("{:<{}}{:>9}{:>24}{:>24}", "", width, "rows", "sigma before > after", "residual before > after");
  if (has_folds) out += fmt::format("{:>26}", "fold error before > after");
  out += "\n";
  for (std::size_t g = 0; g < r.groups.size(); ++g) {
    const auto pair = [&](double before, double after) { return fmt::format("{:.4g} > {:.4g}", before, after); };
    out += fmt::format("{:<{}}{:>9}{:>24}{:>24}", name_of(r.groups[g]), width, r.rows[g],
                       r.groups[g].fixed ? given_sigma(r.given_sigma[g]) : pair(r.before.sigma[g], r.after.sigma[g]),
                       pair(r.before.residual[g], r.after.residual[g]));
    if (has_folds) out += fmt::format("{:>26}", pair(r.before.fold_error[g], r.after.fold_error[g]));
    out += "\n";
  }
  for (std::size_t t = 0; t < r.terms.size(); ++t)
    out += fmt::format("{:<{}}{:>9}{:>24}\n", "delta " + r.terms[t], width, "",
                       fmt::format("{:.4g} > {:.4g}", r.delta[t] * r.before.delta_ratio[t], r.delta[t] * r.after.delta_ratio[t]));
  out += fmt::format("{:<{}}{:>33}\n", r.objective == Objective::vfe ? "bound of log evidence" : "log evidence", width,
                     fmt::format("{:.1f} > {:.1f}", r.before.log_evidence, r.after.log_evidence));
  for (const UnitGroup& group : unit_groups())
    out += group.scales_with_atoms ? fmt::format("{}: {} per √N (as sigma is scaled); ", group.names(" and "), group.unit)
                                   : fmt::format("{}: {}; ", group.shown_names(" and "), group.unit);
  out += "delta: eV\n";
  const std::int64_t rows = std::accumulate(r.rows.begin(), r.rows.end(), std::int64_t{0});
  const std::int64_t left_out = std::accumulate(r.left_out.begin(), r.left_out.end(), std::int64_t{0});
  if (has_folds && left_out < rows)
    out += fmt::format("fold errors: of {} of {} rows; single atoms, and structures that a learned metric knows, are in every fit\n",
                       left_out, rows);
  return out;
}

}  // namespace gapkit::apps
