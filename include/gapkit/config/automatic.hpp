#pragma once

#include <gapkit/config/fit_configuration.hpp>
#include <gapkit/core/progress.hpp>

namespace gapkit {

/// What a fit without configuration is to work with.
struct AutomaticRequest {
  std::vector<std::string> train, validation;
  TargetKeys keys;
  double seconds = 600;  ///< wall time that everything, with calibration and error tables, may take from the call on
  std::string model_path = "model.h5";
  std::uint64_t seed = 0;
  double memory = 4;  ///< GB
};

/// Options chosen for data, and why.
struct AutomaticChoice {
  FitConfiguration options;
  std::vector<std::string> reasons;  ///< a line each
  double seconds = 0;                ///< estimated wall time of everything
  int rounds = 1;  ///< of calibration that this allows for; more are done if there is time, up to options.calibration.rounds
};

/// What the choice looks at; found in one pass over the training data. Targets are those without the base, if there is one.
struct DataSummary {
  std::int64_t frames = 0, atoms = 0;
  std::int64_t energies = 0, forces = 0, virials = 0;  ///< frames that have them
  std::int64_t periodic = 0;                           ///< frames with a periodic direction
  std::map<int, std::int64_t> atoms_of;                ///< by element
  PerTarget<std::int64_t> not_of_base;                 ///< frames with a target that the base does not give: it is not fitted
  std::map<int, double> isolated;                      ///< energies of single atoms, eV, by element
  double force_rms = 0;                                ///< eV/Å
  double nearest = 0;                                  ///< median distance of an atom to its nearest neighbour, Å
  std::string lost_targets;                            ///< what no frame has under a known name, but seems to have; a sentence
  bool lost_energy = false, lost_forces = false, lost_virial = false;
  bool forces_of_atoms_only = false;  ///< single atoms have forces, other frames seem to have them under another name
  std::vector<double> neighbors;      ///< mean number within 0, 0.1, 0.2 … Å, up to 7 Å; single atoms left out

  /// Molecules or clusters: nothing is periodic, or there is mostly vacuum.
  bool is_molecular() const;
  double neighbors_within(double radius) const;
};

DataSummary summarize_data(const Dataset& train, const TargetKeys& keys = {}, const ProgressCallback& progress = {});

/// Cutoff for many-body terms, Å: about 30 neighbours in a solid or liquid, then moved by up to 0.3 Å to where fewest atoms are, so that
/// no shell of neighbours is cut in two; 4.5 Å for molecules.
double choose_cutoff(const DataSummary& data);

/// Files as the options that are chosen name them: that the configuration which is written holds from any folder.
std::vector<std::string> absolute_paths(const std::vector<std::string>& files);

/// Terms, cutoffs, numbers of sparse points, reference energies, σ and calibration for these data, which are those of the request's files.
/// Visits them a few times.
/// The options bound the time of the calibration (CalibrationOptions::seconds): the number of its rounds follows the time that the fit
/// takes. Throws InputError if the data have neither energies nor forces, or no energies but something that looks like them.
AutomaticChoice choose_fit_options(const FitData& data, const AutomaticRequest& request, const ProgressCallback& progress = {});

}  // namespace gapkit
