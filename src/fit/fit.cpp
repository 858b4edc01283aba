#include <algorithm>
#include <cmath>
#include <filesystem>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/needed_properties.hpp>
#include <gapkit/fit/sparse_points.hpp>
#include <gapkit/model/bound_fields.hpp>
#include <gapkit/model/feature_map_file.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "fit/accumulate.hpp"
#include "fit/channels.hpp"
#include "fit/charge_scale.hpp"
#include "fit/checkpoint.hpp"
#include "fit/checkpoint_key.hpp"
#include "fit/compression.hpp"
#include "fit/convention_checks.hpp"
#include "fit/data_scan.hpp"
#include "fit/frame_sample.hpp"
#include "fit/functions.hpp"
#include "fit/held_out.hpp"
#include "fit/input_scale.hpp"
#include "fit/left_out_calibration.hpp"
#include "fit/property_fit.hpp"
#include "fit/tensor_fit.hpp"

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

/// A fit to scanned frames, from the choice of sparse points to the solution; its steps in the order in which they run.
class ScannedFit {
 public:
  ScannedFit(const FitData& training, const FitOptions& options, DataScan& scan, FitReport& report, const FitRun& run)
      : training_(training), options_(options), scan_(scan), report_(report), run_(run) {}

  /// `sample` gets all frames.
  FittedModel run(CheckpointKeeper& keeper, FrameSample& sample) {
    begin_model();
    std::optional<Checkpoint> resumed = keeper.load();
    choose_terms(resumed);
    if (options_.calibration.source == CalibrationOptions::Source::leave_one_out) left_out_.emplace(begin_left_out());
    accumulate_statistics(resumed, keeper, sample);
    solve();
    if (left_out_) {
      fitted_.model.calibration = left_out_->calibrate(fitted_.model, fitted_.stored.rules, run_.progress);
      report_.phases["calibrate"] = watch_.lap();
    }
    return std::move(fitted_);
  }

 private:
  void begin_model() {
    Model& model = fitted_.model;
    model.reference_energies = scan_.plan.reference_energies;
    model.baselines = options_.baselines;
    model.base = options_.keys.base;
    model.shortest_distances = scan_.shortest_distances;
    model.scale_with_atoms = options_.regularization.scale_with_atoms;
    model.seed = options_.seed;
    model.data_fingerprint = scan_.data_fingerprint;
  }

  void choose_terms(std::optional<Checkpoint>& resumed) {
    Model& model = fitted_.model;
    if (resumed) {
      model.terms = std::move(resumed->terms);
      report_.terms = std::move(resumed->reports);
    } else {
      choose_functions(training_.train, options_, scan_, run_.progress);
      make_channels(training_.train, options_, scan_, run_.progress);
      report_.phases["channels"] = watch_.lap();
      compress_features(training_, options_, scan_, run_.progress,
                        [this](const Dataset& part, const FitOptions& first, DataScan& scan) { return first_fit(part, first, scan); });
      report_.phases["compress"] = watch_.lap();
      model.terms = choose_sparse_points(training_, options_, scan_, report_.terms, run_);
    }
    std::vector<double> jitter;
    for (const TermReport& term : report_.terms) jitter.push_back(term.jitter);
    model.factor = SparseFactor::of(model.terms, jitter);
    report_.phases["select"] = watch_.lap();
  }

  LeftOutCalibration begin_left_out() const {
    const Eigen::Index points = fitted_.model.factor.size();
    return {training_.train, options_, points, options_.memory * 1e9 - scan_.plan.memory_bytes - left_out_bytes(options_, points),
            frames_behind_maps(fitted_.model.terms)};
  }

  /// Frames that no fold leaves out.
  std::vector<std::int64_t> never_left_out() const {
    if (options_.optimize.leaves_out_unlearned) return frames_of_metric(training_.train.summary(), options_.seed);
    return frames_behind_maps(fitted_.model.terms);
  }

  // For a compression: silent except for its progress.
  Model first_fit(const Dataset& part, const FitOptions& options, DataScan& scan) const {
    FitRun run;
    if (run_.progress)
      run.progress = [this](const ProgressEvent& event) {
        if (!event.message.empty()) return;
        ProgressEvent shown = event;
        shown.phase = "compress: " + event.phase;
        run_.progress(shown);
      };
    CheckpointKeeper keeper(run, options, scan, "");
    FitReport report;
    FrameSample none({});
    const FitData data{part};
    return ScannedFit(data, options, scan, report, run).run(keeper, none).model;
  }

  void accumulate_statistics(std::optional<Checkpoint>& resumed, CheckpointKeeper& keeper, FrameSample& sample) {
    const Model& model = fitted_.model;
    StoredStatistics& stored = fitted_.stored;
    stored.rules = row_rules(options_);
    stored.amplitudes = amplitude_groups(scan_);
    const Regularization regularization(stored.rules);
    AccumulationCheckpoints checkpoints;
    if (resumed) {
      checkpoints.resumed = std::move(resumed->statistics);
      checkpoints.frames = resumed->frames;
    }
    checkpoints.save = [&](const AccumulationState& state, bool now) {
      keeper.save(model.terms, report_.terms, state.statistics, state.frames, now);
    };
    checkpoints.is_due = [&] { return keeper.is_due(); };
    const auto show = [&](double atoms) {
      if (run_.progress) run_.progress({.phase = "fit", .done = atoms, .total = static_cast<double>(scan_.plan.atoms), .unit = "atoms"});
    };
    AccumulationRules rules{.model = model,
                            .regularization = regularization,
                            .folds = FoldAssigner(options_.optimize, scan_.plan.config_types, options_.seed),
                            .never_left_out = never_left_out(),
                            .fingerprint = statistics_fingerprint(model),
                            .has_prior = options_.optimize.objective == OptimizeOptions::Objective::vfe,
                            .watch =
                                [&](const Structure& frame, const FramePlace& place) {
                                  sample.add(frame, place.number);
                                  if (left_out_) left_out_->watch(frame, place.number);
                                },
                            .sink = left_out_ ? left_out_->sink() : RowSink()};
    Accumulation sums = accumulate(training_.train, std::move(rules), std::move(checkpoints), show);
    stored.statistics = std::move(sums.statistics);
    report_.phases["kernel rows"] = sums.kernel_rows;
    report_.phases["whiten"] = sums.whiten;
    report_.phases["gram"] = sums.gram;
    watch_.lap();
  }

  void solve() {
    Model& model = fitted_.model;
    const SufficientStatistics& statistics = fitted_.stored.statistics;
    const std::vector<double> unchanged(model.terms.size(), 1.0);
    if (options_.optimize.objective != OptimizeOptions::Objective::none || statistics.has_folds()) {
      report_.optimization = optimize(fitted_.stored, model.terms, unchanged, options_.optimize, run_.progress);
      report_.phases["optimize"] = watch_.lap();
      solve_model(model, statistics, report_.optimization->after);
    } else {
      model.posterior = solve_posterior(statistics, model.factor, unchanged);
      model.weights = kernel_weights(model.factor, model.posterior);
      if (!model.weights.allFinite()) throw NumericalError("the weights came out as NaN or infinity");
    }
    report_.phases["solve"] = watch_.lap();
  }

  const FitData& training_;
  const FitOptions& options_;
  DataScan& scan_;
  FitReport& report_;
  const FitRun& run_;
  FittedModel fitted_;
  std::optional<LeftOutCalibration> left_out_;
  PhaseClock watch_;
};

/// A fit of examined data, without checkpoints.
FitResult fit_examined(const FitData& training, const FitOptions& given, const ProgressCallback& progress) {
  FitOptions options = given;
  DataScan scan = scan_frames(training.train, options, progress);
  choose_input_scales(training.train, scan.plan.reference_energies, options, progress);
  const FitRun run{.progress = progress};
  CheckpointKeeper keeper(run, options, scan, "");
  FitResult result;
  FrameSample none({});
  FittedModel fitted = ScannedFit(training, options, scan, result.report, run).run(keeper, none);
  result.model = std::move(fitted.model);
  result.statistics = std::move(fitted.stored);
  return result;
}

}  // namespace

FitResult fit_field(const Dataset& data, const FitOptions& options, const ProgressCallback& progress) {
  return fit_examined({data}, options, progress);
}

FitResult fit(const FitData& data, const FitOptions& given, const FitRun& run) {
  const Stopwatch stopwatch;
  PhaseClock watch;
  FitResult result;
  FitReport& report = result.report;
  check_needed_properties(given, "");
  if (!given.properties.empty() ||
      std::any_of(given.baselines.begin(), given.baselines.end(), [](const PotentialPointer& p) { return has_free_scale(*p); }))
    check_single_atoms(data.train, given);
  FittedProperties properties = fit_properties(data.train, given, fit_field, run.progress);
  FitOptions options = given;
  bind_fields(options.baselines, properties.properties);
  options = with_charge_scale(data, options, report.charge_scale, run.progress);
  report.properties = std::move(properties.reports);
  if (!properties.properties.empty()) report.phases["properties"] = watch.lap();
  FittedTensors tensors = fit_tensors(data.train, given, properties.properties, run.progress);
  report.tensors = std::move(tensors.reports);
  if (!tensors.tensors.empty()) report.phases["tensors"] = watch.lap();
  CalibrationRounds rounds;
  rounds.held_out = held_out_of_rounds(data.train, options);
  const std::vector<std::int64_t> held_out = rounds.held_out.empty() ? std::vector<std::int64_t>() : rounds.held_out.front();
  std::error_code unknown;
  const bool may_continue = !run.checkpoint_path.empty() && std::filesystem::exists(run.checkpoint_path, unknown);
  DataScan scan = scan_training_data(data, {.held_out = held_out, .gathers_candidates = !may_continue}, options, run.progress);
  report.plan = scan.plan;
  report.phases["scan"] = watch.lap();

  const DatasetView training = DatasetView::without(data.train, held_out);
  const FitData training_data{training, nullptr, data.kept_points};
  if (std::any_of(options.terms.begin(), options.terms.end(), has_free_input_scale)) {
    choose_input_scales(training, scan.plan.reference_energies, options, run.progress);
    report.phases["input scale"] = watch.lap();
  }
  CheckpointKeeper keeper(run, options, scan, run.checkpoint_path.empty() ? "" : checkpoint_key(options, scan, held_out, data.kept_points));
  FrameSample sample(choose_sample(training.summary(), options.seed));
  FittedModel fitted = ScannedFit(training_data, options, scan, report, run).run(keeper, sample);
  watch.lap();
  using Source = CalibrationOptions::Source;
  if (options.calibration.source == Source::holdout || options.calibration.source == Source::validation) {
    FitOptions of_rounds = options;
    const double seconds = stopwatch.seconds();
    rounds.elapsed = rounds.expected = seconds;
    if (const auto& search = report.optimization) {  // the search of a round starts at the result of this one
      of_rounds.optimize.start = search->factors;
      of_rounds.optimize.max_evaluations = std::min(options.optimize.max_evaluations, steps_of_round);
      if (search->evaluations > steps_of_round)
        rounds.expected -= search->seconds * (1 - static_cast<double>(steps_of_round) / search->evaluations);
    }
    rounds.fit = [&](const Dataset& part, const ProgressCallback& shown) {
      return fit_examined({part, nullptr, data.kept_points}, of_rounds, shown).model;
    };
    calibrate_fit(fitted, data, options, rounds, run.progress);
    report.phases["calibrate"] = watch.lap();
  }
  check_conventions(fitted.model, fitted.stored, sample.frames(), report, run.progress);
  report.phases["conventions"] = watch.lap();
  report.log_evidence = fitted.model.posterior.log_evidence;
  result.model = std::move(fitted.model);
  result.model.properties = std::move(properties.properties);
  result.model.tensors = std::move(tensors.tensors);
  result.statistics = std::move(fitted.stored);
  return result;
}

FitPlan plan_fit(const FitData& data, const FitOptions& options, const ProgressCallback& progress) {
  return scan_training_data(data, {.held_out = held_out_of_fit(data.train, options)}, options, progress).plan;
}

}  // namespace gapkit
