#pragma once

#include <algorithm>
#include <gapkit/core/progress.hpp>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/fit/options.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// Names of the objectives, in the order of OptimizeOptions::Objective: none, evidence, cross_validation, vfe.
const std::vector<std::string>& objective_names();
inline const std::string& objective_name(OptimizeOptions::Objective objective) {
  return objective_names()[static_cast<std::size_t>(objective)];
}
/// Throws Error if there is no such name.
OptimizeOptions::Objective objective_of(const std::string& name);

/// Noise levels and amplitudes, with their quality.
struct HyperparameterState {
  std::vector<double> sigma;        ///< σ_g of each group; 1 for rows with a σ of their own
  std::vector<double> delta_ratio;  ///< s_t = δ_t/δ_t^ref of each term
  double log_evidence = 0;          ///< with objective vfe its lower bound
  std::vector<double> residual;     ///< root mean square of (y − prediction)/h over each group's own training rows: to compare with σ
  std::vector<double> fold_error;   ///< the same, predicted without the row's fold; empty if there are no folds
};

/// Result of an optimisation of σ and δ.
struct OptimizationReport {
  OptimizeOptions::Objective objective = OptimizeOptions::Objective::none;
  std::vector<RowGroup> groups;        ///< with the σ before
  std::vector<std::int64_t> rows;      ///< of each group
  std::vector<std::int64_t> left_out;  ///< rows of each group that folds leave out; fewer if a learned metric knows the others
  std::vector<double> given_sigma;     ///< of each group whose rows brought their own: root mean square of σ_n/h_n; else, or if unknown, 0
  std::vector<std::string> terms;      ///< labels
  std::vector<double> delta;           ///< δ_t^ref, eV: to multiply by delta_ratio
  HyperparameterState before, after;   ///< equal if nothing was optimised
  std::map<std::string, double> factors;  ///< logarithm of the factor that each free σ and δ was multiplied by, by its name
  int evaluations = 0;                    ///< of the objective with its gradient
  std::vector<double> trace;  ///< log evidence (or bound), or minus the cross-validation loss, at each evaluation that succeeded
  double seconds = 0;
  std::vector<std::string> warnings;  ///< parameters that stopped at a bound
};

/// Changes σ and δ so that the objective is best, from sufficient statistics alone (L-BFGS in the logarithms, methods.md, section 4).
///
/// The groups' own σ and `delta_ratio` (one per term) are the start. Free are the σ of each property and class, and the amplitudes; terms
/// with equal numbers in stored.amplitudes share one. A class with fewer than min_rows rows of a property has its σ multiplied by the
/// factor of the default class, or unchanged if there is none; σ from the data stays. With objective `none` the start is assessed only.
/// Cost: M³ flop per step for the evidence, and M³/3 per step and fold for cross-validation.
/// `terms`: for labels and δ. Throws InputError if the objective needs folds and there are none.
OptimizationReport optimize(const StoredStatistics& stored, std::span<const Term> terms, const std::vector<double>& delta_ratio,
                            const OptimizeOptions& options, const ProgressCallback& progress = {});

/// Solves again at the given σ (one per group of statistics.without_folds(), in its order) and scales; changes posterior and weights.
void solve_model(Model& model, const SufficientStatistics& statistics, const HyperparameterState& state);

/// The data of a fit.
struct FitData {
  const Dataset& train;
  const Dataset* validation = nullptr;  ///< never fitted; may be absent
  /// Sparse points of an earlier model, by the label of the term ("soap Si"), that stay: n_sparse counts them, and more are added by
  /// selection `variance`. Points that are listed in files, of selection `uniform` and of terms with a compression or channels are chosen
  /// anew.
  std::map<std::string, SparseSet> kept_points = {};
};

/// Settings of a fit that do not change the model.
struct FitRun {
  ProgressCallback progress = {};
  std::string checkpoint_path = {};  ///< file that an interrupted fit continues from; empty: none is kept
  double checkpoint_interval = 60;   ///< s between checkpoints
  /// Gets the sparse points of each term once they are chosen, with the numbers of their environments among all of the term's combination,
  /// from 0 (none if they were listed in a file); not called where a checkpoint is continued.
  std::function<void(const Term& term, const std::vector<std::int64_t>& environments)> chosen = {};
};

/// The data sets of files.
struct FitFiles {
  FileDataset train, validation;

  FitFiles(std::vector<std::string> train_files, std::vector<std::string> validation_files, const TargetKeys& keys)
      : train(std::move(train_files), keys), validation(std::move(validation_files), keys) {}
  FitData data() const { return {train, validation.parts().empty() ? nullptr : &validation}; }
};

/// Size and cost of a fit, from one pass over the data without any kernel.
struct FitPlan {
  struct TermPlan {
    std::string label;            ///< "soap Si"
    int features = 0;             ///< D
    int rank = 0;                 ///< features after the compression, at most; D without one
    std::int64_t candidates = 0;  ///< environments in the training data
    int asked = 0;                ///< sparse points that the configuration asks for
    int sparse_points = 0;        ///< M: at most the number of candidates
  };
  struct GroupPlan {
    RowGroup group;
    std::int64_t rows = 0;
  };

  std::int64_t frames = 0, atoms = 0, pairs = 0;
  std::vector<int> elements;
  std::map<std::string, std::int64_t> config_types;  ///< frames of each
  std::map<int, double> reference_energies;          ///< eV
  std::vector<TermPlan> terms;
  std::vector<GroupPlan> groups;
  TargetReport targets;

  std::int64_t rows() const;
  std::int64_t sparse_points() const;
  double flop = 0;                           ///< of the fit's matrix products (methods.md, section 6)
  std::map<std::string, double> phase_flop;  ///< its parts: "compress", "kernel rows", "whiten", "gram"
  int gram_groups = 0;                       ///< groups with rows, times folds
  double gram_bytes = 0;                     ///< gram_groups × M(M+1)/2 × 8
  double memory_bytes = 0;                   ///< estimated peak, without kept_bytes
  double kept_bytes = 0;                     ///< rows that the calibration keeps as far as the memory limit allows
  /// Estimated peak with a memory limit (bytes).
  double peak_bytes(double limit) const { return memory_bytes + std::min(kept_bytes, std::max(0.0, limit - memory_bytes)); }
  double seconds = 0;  ///< estimated from the plan and a short measurement of DGEMM on this machine; without calibration and error tables
  double search_seconds = 0;  ///< of `seconds`: the search for σ and δ
};

/// The choice of one term's sparse points.
struct TermReport {
  std::string label;
  std::int64_t candidates = 0;  ///< environments offered (after the cap, before duplicates were dropped)
  std::int64_t duplicates = 0;
  int asked = 0;
  int chosen = 0;
  int dropped = 0;         ///< linearly dependent in spite of the jitter
  int effective_rank = 0;  ///< pivots of K_MM, before the jitter is added, above the jitter (or above rounding)
  double jitter = 0;       ///< eV², added to the diagonal
};

/// Agreement of the model with the labels of one property and config type, in a sample of the training frames.
///
/// Reference values are regressed on predictions, energies without the part that is linear in the numbers of atoms of each element, virials
/// without the mean of each component.
struct LabelAgreement {
  Property property = Property::energy;
  std::string config_type;
  std::int64_t rows = 0;
  double slope = 0;        ///< of reference against prediction
  double correlation = 0;  ///< between them
  double explained = 0;    ///< 1 − Σ (reference − prediction)² / Σ reference²
  double error = 0;        ///< root mean square of (reference − prediction)/σ with the σ of the configuration
};

/// The fit of a local property.
struct PropertyReport {
  std::string name;
  std::int64_t frames = 0;                           ///< with one of its targets
  std::int64_t values = 0, totals = 0, dipoles = 0;  ///< numbers of atoms and frames with targets
  std::int64_t periodic_dipoles = 0;                 ///< of frames with periodic directions: not fitted
  std::map<int, double> means;                       ///< of the values (of the electronegativities), by element
  std::optional<Equilibration> equilibration;        ///< given or found
  std::vector<TermReport> terms;
  std::optional<OptimizationReport> optimization;
  double seconds = 0;
};

/// The fit of one spherical part of a tensor.
struct TensorReport {
  std::string name;
  int lambda = 0;
  std::int64_t frames = 0, rows = 0, columns = 0;
  double sigma = 0;  ///< in the unit of the tensor, times h (methods.md, section 10); 0: no labels but derivatives
  std::int64_t derivative_frames = 0, derivative_rows = 0;
  double derivatives_sigma = 0;                        ///< in the unit of the tensor per Å
  double derivative_error = 0, derivative_spread = 0;  ///< as `error` and `spread`
  std::vector<double> delta;                           ///< of each term and centre element
  double log_evidence = 0;
  std::int64_t left_out = 0;     ///< structures behind the calibration
  double mahalanobis = 0;        ///< mean square of their errors before the calibration; 0: uncalibrated
  double error = 0, spread = 0;  ///< root mean squares of left-out errors and of the labels without baseline
  double seconds = 0;
};

/// The factor of fixed charges that the data prefer ([[long_range]] scale; methods.md, section 9). Its square multiplies the Coulomb energy
/// and is one more unknown of the regression.
struct ChargeScale {
  double square = 1;
  double square_std = 0;     ///< the larger of posterior_std and the spread of estimates without one part of the data (jackknife)
  double posterior_std = 0;  ///< of the square, from the posterior alone, which takes all rows as independent
  std::int64_t structures = 0;

  double factor() const;  ///< 0 if the data prefer no charges
  double factor_std() const;
  std::string text() const;
};

struct FitReport {
  FitPlan plan;
  std::optional<ChargeScale> charge_scale;  ///< if a [[long_range]] asks for it
  std::vector<PropertyReport> properties;
  std::vector<TensorReport> tensors;
  std::vector<LabelAgreement> agreement;
  std::vector<CheckFinding> findings;  ///< warnings that the final summary repeats: labels that look wrong once the model is known
  std::vector<TermReport> terms;
  std::map<std::string, PhaseTime> phases;  ///< "scan", "select", "kernel rows", "whiten", "gram", "optimize", "solve"
  double log_evidence = 0;
  std::optional<OptimizationReport> optimization;  ///< if σ and δ were optimised or the data divided into folds
};

struct FitResult {
  Model model;
  FitReport report;
  std::optional<StoredStatistics> statistics;  ///< for refit(), append() and merge()
};

/// One pass over the data. Throws InputError for every mistake that would stop the fit, also if the memory estimate exceeds options.memory.
FitPlan plan_fit(const FitData& data, const FitOptions& options, const ProgressCallback& progress = {});

/// Fits: plan, choice of sparse points, one pass that folds every frame into sufficient statistics, solution (methods.md, sections 3 and
/// 4).
///
/// Memory: groups · M²/2 + one batch of rows · M numbers and the largest frame; independent of the number of frames.
/// With run.checkpoint_path, sparse points and statistics are saved there every checkpoint_interval seconds, and when `progress` throws
/// Interrupted; the same call then continues from them and gives the same model. The caller removes the file once the model is saved.
/// A checkpoint of other data, options or version is ignored with a warning; σ of a class of rows may differ.
/// The result depends on options and data only, not on the number of threads (to rounding).
FitResult fit(const FitData& data, const FitOptions& options, const FitRun& run = {});

/// Result of an examination of configuration and data (docs/checks.md).
struct CheckReport {
  struct Counts {
    std::int64_t frames = 0, atoms = 0;
    PerTarget<std::int64_t> with;  ///< frames that have the target
  };

  std::map<std::string, Counts> config_types;  ///< of the training data
  TargetReport targets;                        ///< keys of the targets
  std::optional<FitPlan> plan;                 ///< absent after errors
  std::vector<CheckFinding>
      findings;  ///< errors first, then warnings, then notes; at most a few of a kind and a last one that counts the others

  std::int64_t errors = 0, warnings = 0, notes = 0;  ///< all that were found, listed or not
};

/// Examines training and validation data with the configuration, without fitting, in the pass over the data that begins every fit. Mistakes
/// in the data are findings, not exceptions.
///
/// Memory: about 100 bytes per frame, and the largest frame.
CheckReport check_training_data(const FitData& data, const FitOptions& options, const ProgressCallback& progress = {});

}  // namespace gapkit
