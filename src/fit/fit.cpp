#include <chrono>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/frames.hpp>

#include "fit/checkpoint.hpp"
#include "fit/data_scan.hpp"
#include "fit/sparse_points.hpp"
#include "fit/statistics_builder.hpp"
#include "io/checksum.hpp"

namespace gapkit {
namespace {

class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// What statistics must share to be added: sparse sets, factor, reference energies and the rule for h.
std::string statistics_fingerprint(const FitOptions& options, const std::vector<Term>& terms, const SparseFactor& factor,
                                   const std::map<int, double>& reference_energies) {
  Checksum sum;
  for (const NamedBaseline& b : options.baselines) sum.add(b.kind + parameters_to_json(b.baseline->parameters()));
  for (const Term& term : terms) {
    sum.add(term.descriptor_name + parameters_to_json(term.descriptor->parameters()));
    sum.add(term.kernel_name + parameters_to_json(term.kernel->parameters()));
    for (const int z : term.species) sum.add(static_cast<std::int64_t>(z));
    sum.add(term.delta);
    for (Eigen::Index i = 0; i < term.sparse.x.size(); ++i) sum.add(term.sparse.x.data()[i]);
    for (Eigen::Index i = 0; i < term.sparse.cutoff.size(); ++i) sum.add(term.sparse.cutoff[i]);
  }
  for (const double jitter : factor.jitter()) sum.add(jitter);
  for (const auto& [z, e0] : reference_energies) {
    sum.add(static_cast<std::int64_t>(z));
    sum.add(e0);
  }
  sum.add(std::int64_t{options.regularization.scale_with_atoms});
  return std::to_string(sum.value());
}

SufficientStatistics accumulate(const FitOptions& options, const DataScan& scan, const Model& model, const std::string& fingerprint,
                                std::optional<Checkpoint>& resumed, CheckpointKeeper& keeper, FitReport& report,
                                const ProgressCallback& progress) {
  const Regularization regularization(options);
  StatisticsBuilder builder(model.factor, regularization.groups(), fingerprint);
  const std::int64_t done = resumed ? resumed->frames : 0;
  if (resumed) builder.resume(std::move(resumed->statistics), done);
  KernelRows kernel_rows(model.terms);
  const double cutoff = largest_cutoff(model.terms);
  double rows_seconds = 0;
  std::int64_t atoms = 0;
  TargetReport ignored;
  const auto save = [&](bool now) { keeper.save(model.terms, report.terms, builder.statistics(), builder.folded_frames(), now, progress); };
  try {
    for_each_frame(options.train, options.keys, &ignored, [&](const Structure& given, std::int64_t number) {
      atoms += given.size();
      if (number < done) return;
      Structure without_baselines;
      if (!model.baselines.empty()) {
        without_baselines = given;
        subtract_baselines(model.baselines, without_baselines);
      }
      const Structure& s = model.baselines.empty() ? given : without_baselines;
      const RowTargets targets = regularization.row_targets(s, scan.plan.reference_energies);
      MatrixSlice rows = builder.reserve(static_cast<Eigen::Index>(targets.value.size()));
      save(false);
      Stopwatch watch;
      if (!targets.value.empty()) {
        const StructureEnvironments environments(s, cutoff);
        kernel_rows.compute(environments.view(), s.size(), targets.wanted, rows);
      }
      rows_seconds += watch.lap();
      builder.add(targets);
      if (progress)
        progress({.phase = "fit", .done = static_cast<double>(atoms), .total = static_cast<double>(scan.plan.atoms), .unit = "atoms"});
    });
  } catch (const Interrupted&) {
    save(true);
    throw;
  }
  SufficientStatistics statistics = builder.finish();
  report.phase_seconds["kernel rows"] = rows_seconds;
  report.phase_seconds["whiten"] = builder.whiten_seconds();
  report.phase_seconds["gram"] = builder.gram_seconds();
  return statistics;
}

}  // namespace

FitResult fit(const FitOptions& options, const ProgressCallback& progress) {
  FitResult result;
  FitReport& report = result.report;
  Stopwatch watch;
  const DataScan scan = scan_training_data(options, progress);
  report.plan = scan.plan;
  report.phase_seconds["scan"] = watch.lap();

  Model& model = result.model;
  model.reference_energies = scan.plan.reference_energies;
  model.baselines = options.baselines;
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
  report.phase_seconds["select"] = watch.lap();

  const std::string fingerprint = statistics_fingerprint(options, model.terms, model.factor, model.reference_energies);
  const SufficientStatistics statistics = accumulate(options, scan, model, fingerprint, resumed, keeper, report, progress);
  watch.lap();
  model.posterior = solve_posterior(statistics, model.factor, std::vector<double>(model.terms.size(), 1.0));
  model.weights = kernel_weights(model.factor, model.posterior);
  if (!model.weights.allFinite()) throw NumericalError("the weights came out as NaN or infinity");
  report.phase_seconds["solve"] = watch.lap();
  report.log_evidence = model.posterior.log_evidence;

  model.configuration = options.resolved;
  model.seed = options.seed;
  model.data_fingerprint = scan.data_fingerprint;
  model.scale_with_atoms = options.regularization.scale_with_atoms;
  return result;
}

}  // namespace gapkit
