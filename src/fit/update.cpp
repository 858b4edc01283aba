#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/frames.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/prior.hpp>
#include <utility>

#include "fit/convention_checks.hpp"
#include "fit/folds.hpp"
#include "fit/frame_fingerprint.hpp"
#include "fit/held_out.hpp"
#include "fit/shortest_distances.hpp"
#include "fit/statistics_builder.hpp"
#include "io/look_alikes.hpp"

namespace gapkit {
namespace {

std::string name_of(const RowGroup& group) {
  return std::string("property '") + property_name(group.property) + "', class '" + group.config_class + "'";
}

// The σ that the model was solved with, for every group of the statistics; classes that it did not have keep their configured σ.
void take_over_sigmas(FittedModel& fitted) {
  for (GroupStatistics& g : fitted.stored.statistics.groups)
    for (const RowGroup& solved : fitted.model.posterior.groups)
      if (!g.group.fixed && solved.same_noise(g.group)) g.group.sigma = solved.sigma;
}

void solve(FittedModel& fitted) {
  take_over_sigmas(fitted);
  const SufficientStatistics& statistics = fitted.stored.statistics;
  HyperparameterState state;
  const SufficientStatistics merged = statistics.has_folds() ? statistics.without_folds() : SufficientStatistics{};
  for (const GroupStatistics& g : (statistics.has_folds() ? merged : statistics).groups) state.sigma.push_back(g.group.sigma);
  state.scale = fitted.model.posterior.scale;
  solve_model(fitted.model, statistics.has_folds() ? merged : statistics, state);
  // They describe the model before.
  for (const char* note : {"training_errors", "validation_errors", "optimization"}) fitted.model.notes.erase(note);
}

std::string joined_fingerprint(const std::string& a, const std::string& b) {
  Checksum sum;
  sum.add(a);
  sum.add(b);
  return std::to_string(sum.value());
}

// Unknown if one of them is.
void merge_shortest_distances(std::optional<ShortestDistances>& mine, const std::optional<ShortestDistances>& other) {
  if (!mine || !other) return mine.reset();
  for (const auto& [elements, distance] : *other) keep_shorter(*mine, elements, distance);
}

}  // namespace

OptimizationReport refit(FittedModel& fitted, const RefitOptions& options, const ProgressCallback& progress) {
  take_over_sigmas(fitted);
  Model& model = fitted.model;
  auto& groups = fitted.stored.statistics.groups;
  // The report compares with the model as it is, unless it is optimised from the given values.
  const std::vector<double> scale_before = model.posterior.scale;
  OptimizeOptions assess_only = options.optimize;
  assess_only.objective = OptimizeOptions::Objective::none;
  const HyperparameterState before = optimize(fitted.stored, model.terms, scale_before, assess_only).before;
  for (const RefitOptions::Sigma& wanted : options.sigma) {
    RowGroup group{wanted.property, wanted.config_class.empty() ? "default" : wanted.config_class, false, wanted.sigma};
    if (!(wanted.sigma > 0)) throw InputError("the new sigma of " + name_of(group) + " must be above 0");
    bool found = false;
    for (GroupStatistics& g : groups)
      if (g.group.same_noise(group)) {
        g.group.sigma = wanted.sigma;
        found = true;
      }
    if (found) continue;
    std::string known;
    for (const GroupStatistics& g : groups)
      if (!g.group.fixed && g.group.fold == groups.front().group.fold) known += (known.empty() ? "" : "; ") + name_of(g.group);
    if (known.empty()) known = "only rows that brought a sigma of their own, which stays";
    throw InputError("the model has no rows of " + name_of(group) + "; it has " + known);
  }
  std::vector<double> scale = scale_before;
  for (const auto& [name, delta] : options.delta) {
    if (!(delta > 0)) throw InputError("the new delta of term '" + name + "' must be above 0");
    bool found = false;
    for (std::size_t t = 0; t < model.terms.size(); ++t)
      if (model.terms[t].name == name || model.terms[t].label() == name) {
        scale[t] = delta / model.terms[t].delta;
        found = true;
      }
    if (found) continue;
    std::vector<std::string> names;
    for (const Term& term : model.terms) names.push_back(term.name);
    throw InputError("the model has no term '" + name + "'" + suggestion(name, names));
  }
  OptimizationReport report = optimize(fitted.stored, model.terms, scale, options.optimize, progress);
  report.before = before;
  model.notes.erase("training_errors");
  model.notes.erase("validation_errors");
  if (report.after.sigma != before.sigma || report.after.scale != before.scale) model.calibration.reset();
  solve_model(model, fitted.stored.statistics, report.after);
  take_over_sigmas(fitted);
  return report;
}

std::int64_t append_frames(FittedModel& fitted, const FrameSource& source, const ProgressCallback& progress) {
  Model& model = fitted.model;
  const Regularization regularization(fitted.stored.rules);
  // Contiguous folds want the number of frames of each config type beforehand.
  std::map<std::string, std::int64_t> config_types;
  Checksum checksum;
  std::int64_t frames = 0;
  double atoms = 0;
  source([&](const Structure& s) {
    ++config_types[s.config_type];
    ++frames;
    atoms += s.size();
    add_frame(checksum, s);
  });
  OptimizeOptions fold_options;
  for (const GroupStatistics& g : fitted.stored.statistics.groups)
    if (g.group.fold > 0) fold_options.folds = std::max(fold_options.folds, g.group.fold + 1);
  FoldAssigner folds(fold_options, config_types, model.seed);
  StatisticsBuilder builder(model.factor, groups_of_folds(regularization.groups(), folds.folds()), fitted.stored.statistics.fingerprint);
  KernelRows kernel_rows(model.terms);
  const auto& stored_groups = fitted.stored.statistics.groups;
  std::optional<Prior> prior;
  if (std::any_of(stored_groups.begin(), stored_groups.end(), [](const GroupStatistics& g) { return !g.prior.empty(); }))
    prior.emplace(model.terms);
  std::optional<ShortestDistances> shortest = model.shortest_distances;
  double done = 0;
  std::vector<NoiseRecord> noise;
  source([&](const Structure& given) {
    count_noise(regularization.rules(), given, noise);
    Structure s = given;
    subtract_potentials(model.baselines, s);
    RowTargets targets = regularization.row_targets(s, model.reference_energies);
    const int offset = folds.next(given) * static_cast<int>(regularization.groups().size());
    for (int& group : targets.group)
      if (group != RowTargets::excluded) group += offset;
    MatrixSlice rows = builder.reserve(static_cast<Eigen::Index>(targets.value.size()));
    std::optional<PriorVariances> variances;
    if (!targets.value.empty()) {
      const StructureEnvironments environments(s, largest_cutoff(model.terms));
      if (shortest) keep_shorter(*shortest, closest_pairs(environments.view()));
      kernel_rows.compute(environments.view(), s.size(), targets.wanted, rows);
      if (prior) variances = prior->observables(environments.view(), s.size(), targets.wanted);
    }
    builder.add(targets, variances ? &variances->value : nullptr);
    done += s.size();
    if (progress) progress({.phase = "append", .done = done, .total = atoms, .unit = "atoms"});
  });
  SufficientStatistics added = builder.finish();
  added.noise = std::move(noise);
  if (added.row_count() == 0) throw InputError("the new data have no target that is used: nothing to append");
  fitted.stored.statistics += added;
  model.shortest_distances = shortest;
  model.data_fingerprint = joined_fingerprint(model.data_fingerprint, std::to_string(checksum.value()));
  solve(fitted);
  return frames;
}

std::int64_t append(FittedModel& fitted, const std::vector<std::string>& files, const ProgressCallback& progress,
                    std::vector<CheckFinding>* findings) {
  const RowRules& rules = fitted.stored.rules;
  LookAlikes look_alikes(rules.keys);
  FitReport report;
  std::map<std::string, std::int64_t> config_types;
  std::optional<FrameSample> sample;  // from the second pass on
  const FrameSource source = [&](const std::function<void(const Structure&)>& visit) {
    for_each_frame(files, rules.keys, sample ? nullptr : &report.plan.targets, [&](const Structure& s, std::int64_t) {
      if (sample) {
        sample->add(s);
      } else {
        look_alikes.add(s);
        ++config_types[s.config_type];
      }
      visit(s);
    });
    if (sample) return;
    sample.emplace(config_types, fitted.model.seed);
    const std::vector<Target> lost = look_alikes.lost();
    if (lost.empty()) return;
    if (lost.front() == Target::energy) throw InputError("the new data: " + look_alikes.lost_sentence(lost));
    if (progress) progress({.phase = "append", .message = "the new data: " + look_alikes.lost_sentence(lost), .is_warning = true});
  };
  const std::int64_t frames = append_frames(fitted, source, progress);
  if (findings) {
    check_conventions(fitted.model, fitted.stored, *sample, report, progress);
    *findings = std::move(report.findings);
  }
  return frames;
}

void merge(FittedModel& fitted, const FittedModel& other) {
  if (fitted.model.data_fingerprint == other.model.data_fingerprint)
    throw InputError("both models were fitted to the same data, which would count twice");
  SufficientStatistics theirs = other.stored.statistics;
  for (GroupStatistics& g : theirs.groups)
    for (const RowGroup& solved : other.model.posterior.groups)
      if (!g.group.fixed && solved.same_noise(g.group)) g.group.sigma = solved.sigma;
  fitted.stored.statistics += theirs;
  fitted.model.calibration.reset();
  merge_shortest_distances(fitted.model.shortest_distances, other.model.shortest_distances);
  // A group in several folds has one σ.
  for (GroupStatistics& g : fitted.stored.statistics.groups) {
    const auto& all = fitted.stored.statistics.groups;
    g.group.sigma =
        std::find_if(all.begin(), all.end(), [&](const GroupStatistics& x) { return x.group.same_noise(g.group); })->group.sigma;
  }
  for (const RowGroup& group : other.stored.rules.groups) {
    auto& mine = fitted.stored.rules.groups;
    if (std::none_of(mine.begin(), mine.end(), [&](const RowGroup& g) { return g.same_noise(group); })) mine.push_back(group);
  }
  fitted.model.data_fingerprint = joined_fingerprint(fitted.model.data_fingerprint, other.model.data_fingerprint);
  solve(fitted);
}

}  // namespace gapkit
