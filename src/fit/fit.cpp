#include <chrono>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/model/prior.hpp>

#include "fit/checkpoint.hpp"
#include "fit/convention_checks.hpp"
#include "fit/data_scan.hpp"
#include "fit/folds.hpp"
#include "fit/held_out.hpp"
#include "fit/row_workers.hpp"
#include "fit/sparse_points.hpp"
#include "fit/statistics_builder.hpp"

namespace gapkit {
namespace {

constexpr int steps_of_round = 12;  // of the search for σ and δ in rounds that only serve the calibration

// Terms of one name share their amplitude unless it was given as a table.
std::vector<std::int64_t> amplitude_groups(const DataScan& scan) {
  std::vector<std::int64_t> result;
  std::map<const TermOptions*, std::int64_t> known;
  std::int64_t count = 0;
  for (const TermDraft& draft : scan.drafts)
    result.push_back(draft.options->species_delta.empty() ? known.try_emplace(draft.options, count++).first->second : count++);
  return result;
}

SufficientStatistics accumulate(const FitOptions& options, const DataScan& scan, const Model& model, const std::string& fingerprint,
                                std::optional<Checkpoint>& resumed, CheckpointKeeper& keeper, FrameSample& sample, FitReport& report,
                                const ProgressCallback& progress) {
  const Regularization regularization(options);
  FoldAssigner folds(options.optimize, scan.plan.config_types, options.seed);
  StatisticsBuilder builder(model.factor, groups_of_folds(regularization.groups(), folds.folds()), fingerprint);
  const int groups = static_cast<int>(regularization.groups().size());
  const std::int64_t done = resumed ? resumed->frames : 0;
  if (resumed) builder.resume(std::move(resumed->statistics), done);
  RowWorkers workers(model.terms);
  std::optional<Prior> prior;
  if (options.optimize.objective == OptimizeOptions::Objective::vfe) prior.emplace(model.terms);
  std::int64_t atoms = 0;
  std::vector<NoiseRecord> noise;
  const auto save = [&](bool now) { keeper.save(model.terms, report.terms, builder.statistics(), builder.folded_frames(), now, progress); };
  const auto show = [&](double atoms_done) {
    if (progress) progress({.phase = "fit", .done = atoms_done, .total = static_cast<double>(scan.plan.atoms), .unit = "atoms"});
  };
  try {
    for_each_training_frame(options, [&](const Structure& given, std::int64_t, std::int64_t number) {
      atoms += given.size();
      sample.add(given);
      const int fold = folds.next(given);
      count_noise(regularization.rules(), given, noise);
      if (number < done) return;
      Structure s = given;
      if (!model.baselines.empty()) subtract_potentials(model.baselines, s);
      RowTargets targets = regularization.row_targets(s, scan.plan.reference_energies);
      for (int& group : targets.group)
        if (group != RowTargets::excluded) group += fold * groups;
      const auto count = static_cast<Eigen::Index>(targets.value.size());
      if (!builder.has_room(count)) workers.finish(show);
      const MatrixSlice rows = builder.reserve(count);
      save(false);
      std::optional<PriorVariances> variances;
      if (prior && count > 0) {
        const StructureEnvironments environments(s, workers.cutoff());
        variances = prior->observables(environments.view(), s.size(), targets.wanted);
      }
      builder.add(targets, variances ? &variances->value : nullptr);
      if (count > 0) workers.add(std::move(s), targets.wanted, rows, static_cast<double>(atoms));
    });
    workers.finish(show);
  } catch (const Interrupted&) {
    save(true);
    throw;
  }
  SufficientStatistics statistics = builder.finish();
  statistics.noise = std::move(noise);
  report.phases["kernel rows"] = workers.time();
  report.phases["whiten"] = builder.whiten_time();
  report.phases["gram"] = builder.gram_time();
  return statistics;
}

}  // namespace

FitResult fit(const FitOptions& given, const ProgressCallback& progress) {
  const FitOptions options = with_held_out(given);
  FitResult result;
  FitReport& report = result.report;
  const auto begin = std::chrono::steady_clock::now();
  PhaseClock watch;
  const DataScan scan = scan_training_data(options, progress);
  report.plan = scan.plan;
  report.phases["scan"] = watch.lap();

  Model& model = result.model;
  model.reference_energies = scan.plan.reference_energies;
  model.baselines = options.baselines;
  model.shortest_distances = scan.shortest_distances;
  CheckpointKeeper keeper(options, scan);
  std::optional<Checkpoint> resumed = keeper.load(progress);
  if (resumed) {
    model.terms = std::move(resumed->terms);
    report.terms = std::move(resumed->reports);
  } else {
    model.terms = choose_sparse_points(options, scan, report.terms, progress);
  }
  std::vector<double> jitter;
  for (const TermReport& term : report.terms) jitter.push_back(term.jitter);
  model.factor = SparseFactor::of(model.terms, jitter);
  report.phases["select"] = watch.lap();

  model.scale_with_atoms = options.regularization.scale_with_atoms;
  StoredStatistics stored;
  stored.rules = row_rules(options);
  stored.amplitudes = amplitude_groups(scan);
  const std::string fingerprint = statistics_fingerprint(model);
  FrameSample sample(scan.plan.config_types, options.seed);
  stored.statistics = accumulate(options, scan, model, fingerprint, resumed, keeper, sample, report, progress);
  watch.lap();
  const std::vector<double> unchanged(model.terms.size(), 1.0);
  if (options.optimize.objective != OptimizeOptions::Objective::none || stored.statistics.has_folds()) {
    report.optimization = optimize(stored, model.terms, unchanged, options.optimize, progress);
    report.phases["optimize"] = watch.lap();
    solve_model(model, stored.statistics, report.optimization->after);
  } else {
    model.posterior = solve_posterior(stored.statistics, model.factor, unchanged);
    model.weights = kernel_weights(model.factor, model.posterior);
    if (!model.weights.allFinite()) throw NumericalError("the weights came out as NaN or infinity");
  }
  report.phases["solve"] = watch.lap();
  model.configuration = options.resolved;
  model.seed = options.seed;
  model.data_fingerprint = scan.data_fingerprint;
  if (options.calibration.source != CalibrationOptions::Source::none) {
    FittedModel fitted{std::move(model), std::move(stored)};
    FitOptions of_rounds = options;
    if (report.optimization) {  // their search for σ and δ begins where this one ended, and ends near there
      of_rounds.optimize.start = report.optimization->factors;
      of_rounds.optimize.max_evaluations = std::min(options.optimize.max_evaluations, steps_of_round);
    }
    RoundTimes times{.elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
    times.expected = times.elapsed;
    if (report.optimization && report.optimization->evaluations > steps_of_round)
      times.expected -= report.optimization->seconds * (1 - static_cast<double>(steps_of_round) / report.optimization->evaluations);
    calibrate_fit(fitted, of_rounds, times, progress);
    model = std::move(fitted.model);
    stored = std::move(fitted.stored);
    report.phases["calibrate"] = watch.lap();
  }
  if (given.left_out.empty()) {  // else a round of a calibration
    check_conventions(model, stored, sample, report, progress);
    report.phases["conventions"] = watch.lap();
  }
  report.log_evidence = model.posterior.log_evidence;
  if (options.keep_statistics) result.statistics = std::move(stored);
  return result;
}

}  // namespace gapkit
