#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/feature_map_file.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <set>

#include "fit/accumulate.hpp"
#include "fit/append_frames.hpp"
#include "fit/base_checks.hpp"
#include "fit/convention_checks.hpp"
#include "fit/fingerprint_parts.hpp"
#include "fit/folds.hpp"
#include "fit/frame_sample.hpp"
#include "fit/shortest_distances.hpp"
#include "fit/tensor_fit.hpp"

namespace gapkit {
namespace {

std::string name_of(const RowGroup& group) {
  return std::string("property '") + property_name(group.property) + "', class '" + group.config_class + "'";
}

// Gives every group of the statistics the σ of the model; classes that are new to the model keep their configured σ.
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
  state.delta_ratio = fitted.model.posterior.delta_ratio;
  solve_model(fitted.model, statistics.has_folds() ? merged : statistics, state);
  // They describe the model before.
  for (const char* note : {"training_errors", "validation_errors", "optimization"}) fitted.model.notes.erase(note);
}

std::string joined_fingerprint(const std::string& a, const std::string& b) {
  return a + between_parts + b;
}

bool have_common_part(const std::string& a, const std::string& b) {
  const std::vector<std::string> mine = parts_of_fingerprint(a), theirs = parts_of_fingerprint(b);
  return std::find_first_of(mine.begin(), mine.end(), theirs.begin(), theirs.end()) != mine.end();
}

/// Throws InputError if a term of both models has other features in one than in the other.
void check_equal_maps(const Model& a, const Model& b) {
  for (std::size_t t = 0; t < std::min(a.terms.size(), b.terms.size()); ++t)
    if (!have_equal_learned_parts(*a.terms[t].descriptor, *b.terms[t].descriptor))
      throw InputError("the models cannot be merged: their features of term '" + a.terms[t].label() +
                       "' were compressed or scaled with different data; fit the parts with compression = \"none\", without channels, "
                       "and symmetry functions with scaling = \"none\" and n_select = 0, or append the data instead");
}

/// Throws InputError if the frames seem to have energies under another name; warns of other targets.
void report_lost_targets(const LookAlikes& look_alikes, const ProgressCallback& progress) {
  const std::vector<Property> lost = look_alikes.lost();
  if (lost.empty()) return;
  if (lost.front() == Property::energy) throw InputError("the new data: " + look_alikes.lost_sentence(lost));
  if (progress) progress({.phase = "append", .message = "the new data: " + look_alikes.lost_sentence(lost), .is_warning = true});
}

/// Throws InputError if the values of the base in the new data are certainly wrong; warns if they seem so.
void report_base(const BaseChecks& checks, const Model& model, const ProgressCallback& progress) {
  Findings findings;
  checks.finish(findings, model.base, model.reference_energies);
  for (const CheckFinding& finding : findings.sorted()) {
    const std::string text = "the new data: " + finding.message;
    if (finding.is_error()) throw InputError(text);
    if (progress) progress({.phase = "append", .message = text, .is_warning = finding.severity == CheckFinding::Severity::warning});
  }
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
  // The report compares with the model before the given values.
  const std::vector<double> ratio_before = model.posterior.delta_ratio;
  OptimizeOptions assess_only = options.optimize;
  assess_only.objective = OptimizeOptions::Objective::none;
  const HyperparameterState before = optimize(fitted.stored, model.terms, ratio_before, assess_only).before;
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
  std::vector<double> delta_ratio = ratio_before;
  for (const auto& [name, delta] : options.delta) {
    if (!(delta > 0)) throw InputError("the new delta of term '" + name + "' must be above 0");
    bool found = false;
    for (std::size_t t = 0; t < model.terms.size(); ++t)
      if (model.terms[t].name == name || model.terms[t].label() == name) {
        delta_ratio[t] = delta / model.terms[t].delta;
        found = true;
      }
    if (found) continue;
    std::vector<std::string> names;
    for (const Term& term : model.terms) names.push_back(term.name);
    throw InputError("the model has no term '" + name + "'" + suggestion(name, names));
  }
  OptimizationReport report = optimize(fitted.stored, model.terms, delta_ratio, options.optimize, progress);
  report.before = before;
  model.notes.erase("training_errors");
  model.notes.erase("validation_errors");
  if (report.after.sigma != before.sigma || report.after.delta_ratio != before.delta_ratio) model.calibration.reset();
  solve_model(model, fitted.stored.statistics, report.after);
  take_over_sigmas(fitted);
  return report;
}

namespace {

/// Result of a first pass over new frames.
struct NewFrames {
  std::map<std::string, std::int64_t> config_types;  // frames of each, for contiguous folds
  Checksum checksum;
  std::int64_t frames = 0;
  double atoms = 0;
  ShortestDistances shortest_distances;  // in the frames with rows
  BaseChecks base;
  std::int64_t uncharged_frames = 0;  // without a key of a total charge
  std::int64_t known_frames = 0;      // that the sums contain already, as far as their sketch shows it
};

void report_known_frames(const NewFrames& found, bool all_are_known, const ProgressCallback& progress) {
  if (!all_are_known && found.known_frames == 0) return;
  const std::string known =
      all_are_known ? "the same frames" : std::to_string(found.known_frames) + " of the " + std::to_string(found.frames) + " new frames";
  progress({.phase = "append", .message = "the model has " + known + " already: they now count twice", .is_warning = true});
}

NewFrames look_at(const Dataset& data, const FittedModel& fitted, const AppendRecord& record) {
  NewFrames found;
  const RowRules& rules = fitted.stored.rules;
  const double cutoff = largest_cutoff(fitted.model.terms);
  const std::set<std::string> totals = total_keys(fitted.model.baselines);
  const auto look = [&](const Structure& s, const FramePlace&) {
    ++found.config_types[s.config_type];
    ++found.frames;
    found.atoms += s.size();
    add_frame(found.checksum, s);
    found.base.add(s);
    found.uncharged_frames += std::any_of(totals.begin(), totals.end(), [&](const std::string& key) { return !s.find_field(key); });
    if (s.size() > 1) found.known_frames += fitted.stored.statistics.frames.contains(fingerprint_of(s));
    if (record.look_alikes) record.look_alikes->add(s);
    const Observables wanted = wanted_rows(rules, s);
    if (wanted.energy || wanted.forces || wanted.virial) keep_shorter(found.shortest_distances, closest_pairs(s, NeighborList(s, cutoff)));
  };
  data.visit(look, {.targets = record.targets});
  return found;
}

}  // namespace

std::int64_t append_frames(FittedModel& fitted, const Dataset& data, const AppendRecord& record, const ProgressCallback& progress) {
  Model& model = fitted.model;
  const SufficientStatistics& before = fitted.stored.statistics;
  const Regularization regularization(fitted.stored.rules);
  const NewFrames found = look_at(data, fitted, record);
  if (record.look_alikes) report_lost_targets(*record.look_alikes, progress);
  if (model.base.is_used()) report_base(found.base, model, progress);
  const std::string fingerprint = std::to_string(found.checksum.value());
  if (progress && !record.is_set_aside) report_known_frames(found, have_common_part(model.data_fingerprint, fingerprint), progress);
  if (progress && found.uncharged_frames > 0)
    progress({.phase = "append",
              .message = std::to_string(found.uncharged_frames) + " of the " + std::to_string(found.frames) +
                         " new frames do not give their total charge: it is taken as 0 e",
              .is_warning = true});
  if (progress && !model.properties.empty())
    progress({.phase = "append", .message = "the local properties of the model stay as they are: only a fit of all data improves them"});
  if (record.sample) record.sample->emplace(choose_sample(data.summary(), model.seed));
  OptimizeOptions fold_options;
  for (const GroupStatistics& g : before.groups)
    if (g.group.fold > 0) fold_options.folds = std::max(fold_options.folds, g.group.fold + 1);
  AccumulationRules rules{
      .model = model,
      .regularization = regularization,
      .folds = FoldAssigner(fold_options, found.config_types, model.seed),
      .fingerprint = before.fingerprint,
      .has_prior = std::any_of(before.groups.begin(), before.groups.end(), [](const GroupStatistics& g) { return !g.prior.empty(); })};
  if (record.sample) rules.watch = [&](const Structure& frame, const FramePlace& place) { (*record.sample)->add(frame, place.number); };
  const SufficientStatistics added = accumulate(data, std::move(rules), {}, [&](double atoms) {
                                       if (progress) progress({.phase = "append", .done = atoms, .total = found.atoms, .unit = "atoms"});
                                     }).statistics;
  if (added.row_count() == 0) throw InputError("the new data have no target that is used: nothing to append");
  if (!record.is_set_aside) append_tensors(model, data, progress);
  fitted.stored.statistics += added;
  if (model.shortest_distances)
    for (const auto& [elements, distance] : found.shortest_distances) keep_shorter(*model.shortest_distances, elements, distance);
  model.data_fingerprint = joined_fingerprint(model.data_fingerprint, fingerprint);
  solve(fitted);
  return found.frames;
}

std::int64_t append(FittedModel& fitted, const Dataset& data, const ProgressCallback& progress, std::vector<CheckFinding>* findings) {
  LookAlikes look_alikes(fitted.stored.rules.keys);
  if (!findings) return append_frames(fitted, data, {.look_alikes = &look_alikes}, progress);
  FitReport report;
  std::optional<FrameSample> sample;
  const std::int64_t frames =
      append_frames(fitted, data, {.look_alikes = &look_alikes, .targets = &report.plan.targets, .sample = &sample}, progress);
  check_conventions(fitted.model, fitted.stored, sample->frames(), report, progress);
  *findings = std::move(report.findings);
  return frames;
}

void merge(FittedModel& fitted, const FittedModel& other) {
  if (!fitted.model.tensors.empty() || !other.model.tensors.empty())
    throw InputError("the models have tensors, which cannot be merged: fit all data together, or merge models without [[tensor]]");
  const bool have_common_sums = fitted.stored.statistics.fingerprint == other.stored.statistics.fingerprint;  // else they cannot be merged
  if (have_common_sums && have_common_part(fitted.model.data_fingerprint, other.model.data_fingerprint))
    throw InputError("both models were fitted to the same data, which would count twice");
  check_equal_maps(fitted.model, other.model);
  const std::int64_t common = fitted.stored.statistics.frames.common_with(other.stored.statistics.frames);
  if (have_common_sums && common > 0)
    throw InputError("both models were fitted to the same " + std::to_string(common) +
                     " frames, or more, which would count twice: fit one of them without these");
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
