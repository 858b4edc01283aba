#pragma once

#include <filesystem>
#include <gapkit/core/progress.hpp>
#include <gapkit/fit/fit.hpp>
#include <limits>
#include <set>

namespace gapkit {

/// A whole configuration: options of the fit, and the files that a program reads and writes.
struct FitConfiguration : FitOptions {
  std::vector<std::string> train, validation;
  std::string model_path = "model.h5";
  bool keep_statistics = false;     ///< in the model file, for refit(), append() and merge()
  std::string sparse_output;        ///< prefix of files with the chosen environments; empty: none
  std::string checkpoint_path;      ///< see FitRun
  double checkpoint_interval = 60;  ///< s
};

/// fit() of these data with checkpoints and files of sparse points; the model stores the configuration. The result has statistics only with
/// keep_statistics.
FitResult fit_configured(const FitData& data, const FitConfiguration& configuration, const ProgressCallback& progress = {});

/// Fit, plan and examination with the files of the configuration.
FitResult fit(const FitConfiguration& configuration, const ProgressCallback& progress = {});
FitPlan plan_fit(const FitConfiguration& configuration, const ProgressCallback& progress = {});
CheckReport check_training_data(const FitConfiguration& configuration, const ProgressCallback& progress = {});

/// Files or globs, relative to the current folder, that replace those of the configuration (command-line flags). An empty list replaces
/// nothing; the list that is replaced is not read.
struct DataFiles {
  std::vector<std::string> train;
  std::vector<std::string> validation;
  /// The program has the data itself: files of the configuration are ignored.
  bool train_in_memory = false, validation_in_memory = false;
};

/// A key of the configuration with another value: "term.soap.zeta" (the name of the [[term]], then its key), "regularization.force".
/// `value` is TOML, or a plain word for a text.
struct ConfigurationOverride {
  std::string key, value;
};

/// Reads a TOML configuration (docs/configuration.md). Paths of data in it are relative to its folder and come back absolute; globs
/// in `train` and `validation` are expanded in sorted order. Paths in [output] stay relative to the current folder.
/// Unknown keys, wrong types, impossible values, files that do not exist: InputError "file:line: …" with the nearest valid name.
FitConfiguration read_fit_options(const std::filesystem::path& path, const DataFiles& instead = {},
                                  const std::vector<ConfigurationOverride>& overrides = {});

/// The same from a string; `name` stands for the file in messages, paths are relative to `folder`.
FitConfiguration parse_fit_options(const std::string& toml, const std::string& name, const std::filesystem::path& folder,
                                   const DataFiles& instead = {}, const std::vector<ConfigurationOverride>& overrides = {});

/// The configuration as TOML with every default written out; reading it back gives equal options.
std::string fit_options_to_toml(const FitConfiguration& options);

/// Request for a fit without configuration.
struct AutomaticRequest {
  std::vector<std::string> train, validation;
  TargetKeys keys;
  double seconds = 600;  ///< allowed wall time from the call on, with calibration and error tables
  std::string model_path = "model.h5";
  std::uint64_t seed = 0;
  double memory = 4;  ///< GB
};

/// Options chosen for data, with reasons.
struct AutomaticChoice {
  FitConfiguration options;
  std::vector<std::string> reasons;  ///< a line each
  double seconds = 0;                ///< estimated wall time of everything
};

/// Facts for the choice, from one pass over the training data. With a base, targets are the differences from it.
struct DataSummary {
  std::int64_t frames = 0, atoms = 0;
  std::int64_t energies = 0, forces = 0, virials = 0;  ///< frames that have them
  std::int64_t periodic = 0;                           ///< frames with a periodic direction
  std::int64_t single_atoms = 0;                       ///< frames of one atom without neighbours
  std::map<int, std::int64_t> atoms_of;                ///< by element
  PerTarget<std::int64_t> not_of_base;                 ///< frames with a target that the base does not give: it is not fitted
  std::map<int, double> isolated;                      ///< energies of single atoms, eV, by element
  double force_rms = 0;                                ///< eV/Å
  double nearest = 0;                                  ///< median distance of an atom to its nearest neighbour, Å
  std::string lost_targets;                            ///< a sentence on targets that frames seem to have under unknown names
  bool lost_energy = false, lost_forces = false, lost_virial = false;
  bool forces_of_atoms_only = false;                   ///< single atoms have forces, other frames seem to have them under another name
  std::set<std::map<int, int>> compositions;           ///< of frames of several atoms, the first 1000
  std::map<std::string, std::int64_t> charge_columns;  ///< frames with a column of reals that is named as charges
  bool has_total_charges = false;                      ///< a frame has the key total_charge
  /// A column of reals that is named as Hirshfeld volumes.
  struct VolumeColumn {
    std::int64_t frames = 0, values = 0;
    double sum = 0;
    double smallest = std::numeric_limits<double>::infinity();
  };
  std::map<std::string, VolumeColumn> volume_columns;
  std::vector<double> neighbors;  ///< mean number within 0, 0.1, 0.2 … Å, up to 7 Å; single atoms left out

  /// Molecules or clusters: nothing is periodic, or there is mostly vacuum.
  bool is_molecular() const;
  double neighbors_within(double radius) const;
};

DataSummary summarize_data(const Dataset& train, const TargetKeys& keys = {}, const ProgressCallback& progress = {});

/// Cutoff for many-body terms, Å: about 30 neighbours in a solid or liquid, moved by up to 0.3 Å to the lowest density of neighbours, so
/// that it does not divide a shell; 4.5 Å for molecules.
double choose_cutoff(const DataSummary& data);

/// Absolute paths of files, so that the written configuration is valid in any folder.
std::vector<std::string> absolute_paths(const std::vector<std::string>& files);

/// Terms, cutoffs, numbers of sparse points, reference energies, σ and calibration for these data, which come from the files of the
/// request. Two passes over the data. Throws InputError if the data have neither energies nor forces, or no energies but look-alikes.
AutomaticChoice choose_fit_options(const FitData& data, const AutomaticRequest& request, const ProgressCallback& progress = {});

}  // namespace gapkit
