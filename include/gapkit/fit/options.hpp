#pragma once

#include <gapkit/core/parameters.hpp>
#include <gapkit/io/targets.hpp>
#include <gapkit/model/term.hpp>
#include <gapkit/potentials/potential.hpp>
#include <limits>
#include <map>

namespace gapkit {

/// Fewer features for a term: a linear map made from the training data (methods.md, section 2).
struct CompressionOptions {
  std::string kind = "none";  ///< none, or a line of the table of compressions
  double rank = 0;            ///< features per combination; below 1: the share of the variance to keep; 0: 64 for one element, else 96
  double floor = 1e-3;        ///< learned: added to the eigenvalues, relative to the largest
};

/// One [[term]] or [[property.term]] of the configuration, before it is expanded over species.
struct TermOptions {
  std::string name;  ///< unique; the descriptor's name (with a number) if not given
  std::string descriptor;
  Parameters descriptor_parameters;  ///< complete
  std::string kernel;
  Parameters kernel_parameters;                 ///< complete
  std::optional<double> length_scale_fraction;  ///< squared_exponential: θ = fraction × range of the candidates per dimension
  std::optional<double> length_scale_root;      ///< squared_exponential: θ = this × the usual length of the features
  std::optional<double> input_scale_over_size;  ///< ntk, nngp: s = this / the usual |x|² of the features, in place of input_scale
  std::vector<std::string> species;             ///< empty: all; else elements ("Si") or combinations, named as in combination_name ("O-Si")
  double delta = 1.0;                           ///< eV
  std::map<std::string, double> species_delta;  ///< by combination ("Si", "O-Si"), replaces delta
  int n_sparse = 0;                             ///< per combination
  std::map<std::string, int> species_n_sparse;  ///< by combination, replaces n_sparse
  std::map<std::string, int> config_type_n_sparse;  ///< sparse points of these config types; n_sparse is for all others then
  std::string selection = "cur";
  int max_candidates = 100000;                     ///< per combination
  std::map<std::string, std::string> sparse_file;  ///< by combination; key "" for all
  bool sparse_file_cutoffs = false;                ///< each point in sparse_file begins with its covariance cutoff
  std::map<std::string, std::string> sparse_indices;
  CompressionOptions compression;
};

/// σ of a class of rows, in the units of the targets. Some are multiplied by √N (TargetInfo::scales_with_atoms) unless scale_with_atoms is
/// false.
struct SigmaOptions : PerTarget<double> {
  using PerTarget::PerTarget;
  SigmaOptions() : PerTarget(default_sigmas()) {}
};

struct RegularizationOptions {
  SigmaOptions standard;
  std::map<std::string, SigmaOptions> config_type;
  bool scale_with_atoms = true;
};

/// Optimisation of σ and δ (methods.md, section 4).
struct OptimizeOptions {
  enum class Objective { none, evidence, cross_validation, vfe };
  Objective objective = Objective::none;
  bool sigma = true;                 ///< of every property and class
  bool delta = true;                 ///< of every term
  std::vector<std::string> classes;  ///< config types with a σ of their own, in addition to RegularizationOptions::config_type
  double max_factor = 1000;          ///< σ and δ stay within this factor of where they start
  std::int64_t min_rows = 20;        ///< a class with fewer rows of a property has its σ changed by the factor of the default class
  int max_evaluations = 200;
  int folds = 0;                    ///< parts of the data for cross-validation; 0: none
  std::string fold = "contiguous";  ///< contiguous (within a config type), random, "key:" and the name of a field: which frames a part has
  /// Folds leave out only structures that a learned metric does not learn from, with any compression: for comparisons of terms with and
  /// without one. Not in configurations.
  bool leaves_out_unlearned = false;
  PerTarget<double> weights = PerTarget<double>(1.0);  ///< of the properties in cross-validation
  std::map<std::string, double> start;  ///< logarithms of the factors where the search begins (OptimizationReport::factors); 0 if absent
};

/// Calibration of the error bars (methods.md, section 5).
struct CalibrationOptions {
  enum class Source { none, holdout, validation, leave_one_out };
  Source source = Source::leave_one_out;
  double holdout = 0.1;                ///< fraction of the structures that is set aside before the fit and added afterwards
  int rounds = 1;                      ///< fits, each with other structures set aside; all but the first serve the calibration only
  std::int64_t most_atoms = 5000;      ///< of the validation data that are used
  std::int64_t fewest_structures = 5;  ///< held out, that a property needs to be called calibrated
  /// s from the start of the fit within which another round must be expected to end, else it is left out; infinite: all rounds are done.
  double seconds = std::numeric_limits<double>::infinity();
  /// With leave_one_out: error bars of energies and virials from all structures, which costs one more pass over those whose rows exceed the
  /// memory; else from a sample.
  bool all_structures = true;
  /// With leave_one_out: whole config types (or clusters of structures) are left out too, so that error bars hold for other kinds of
  /// structures than those of the data. They are wider for all.
  bool cautious = false;
};

struct ReferenceEnergyOptions {
  enum class Mode { isolated, least_squares, explicit_values };
  Mode mode = Mode::isolated;
  std::map<std::string, double> values;  ///< eV per atom, by element, for explicit_values
};

/// Whether the term has a metric that is learned from labels.
inline bool is_learned(const TermOptions& term) {
  return term.compression.kind == "learned";
}

/// One [[property]]: a local property with its targets, σ (in its unit) and terms.
struct PropertyOptions {
  PropertyKeys keys;
  double sigma = 0.01;         ///< of the values
  double total_sigma = 1e-3;   ///< of totals, times √N; never optimised
  double dipole_sigma = 0.05;  ///< unit · Å
  bool optimize = true;        ///< σ of values and dipoles, and δ, by the evidence
  /// The values are charges by equilibration, and the field their electronegativities; widths and hardness of elements that it does not
  /// have are found by evidence.
  std::optional<Equilibration> equilibration = {};
  std::vector<TermOptions> terms;
};

/// One [[tensor]]: its labels and terms (methods.md, section 10).
struct TensorOptions {
  TensorKeys keys;
  double sigma = 0;  ///< of the components, in the unit of the tensor; 0: 1 % of the root mean square of the labels to begin with
  double derivatives_sigma = 0;    ///< of dT/dr, in the unit of the tensor per Å; 0: likewise
  bool optimize = true;            ///< sigma and the amplitudes, by the evidence
  std::vector<TermOptions> terms;  ///< soap with dot_product; n_sparse = 0: as many as half of the frames, shared by the elements
};

/// The fit: targets with their σ, and a sum of terms.
struct Problem {
  AtomicField field = AtomicField::energy;
  PerTarget<bool> use = PerTarget<bool>(true);  ///< the targets that are fitted, if they belong to the field
  TargetKeys keys;
  ReferenceEnergyOptions reference_energies;
  std::vector<PotentialPointer> baselines;  ///< subtracted from the data first
  std::vector<TermOptions> terms;
  RegularizationOptions regularization;
  OptimizeOptions optimize;
  CalibrationOptions calibration;
  std::vector<PropertyOptions> properties;  ///< fitted before the energies, each by itself

  std::vector<TensorOptions> tensors;  ///< fitted beside the energies

  bool uses(const TargetInfo& target) const { return target.field == field && use[target.property]; }
  /// The keys with the used targets, for reading frames of files.
  TargetKeys used_keys() const {
    TargetKeys used = keys;
    used.use = use;
    return used;
  }
};

/// The computation. The number of threads belongs to the process (math/linear_algebra.hpp).
struct Numerics {
  double jitter = 1e-8;                   ///< relative to δ² of each term
  std::optional<double> jitter_absolute;  ///< eV², replaces jitter
  std::uint64_t seed = 0;
  double memory = 4.0;  ///< GB; a fit that needs more is refused
};

/// All options of a fit.
struct FitOptions : Problem, Numerics {};

}  // namespace gapkit
