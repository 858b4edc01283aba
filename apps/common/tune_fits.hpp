#pragma once

#include "progress_display.hpp"
#include "tune_trials.hpp"

namespace gapkit::apps {

/// The settings in a configuration, which does not name its data.
FitConfiguration settings_in(const std::string& toml, const std::vector<ConfigurationOverride>& overrides = {});

/// The fits of gap-fit --tune: trials on parts of the training data, without isolated atoms, the structures that the calibration sets
/// aside, and validation data.
class TuneFits {
 public:
  /// `reference_energies`: of all training data (eV per atom, by element), used where those of isolated atoms are wanted. `keeps_sigma`: σ
  /// and δ are as in `start`, unless its [optimize] changes them.
  TuneFits(const Dataset& train, FitConfiguration start, const std::map<int, double>& reference_energies, std::vector<Knob> knobs,
           bool keeps_sigma);

  const std::vector<Knob>& knobs() const { return knobs_; }
  /// Whether trials may have a learned metric: then folds of all trials leave out only structures that it does not learn from.
  bool may_learn_metric() const { return may_learn_metric_; }
  std::int64_t structures() const { return static_cast<std::int64_t>(numbers_.size()); }
  /// Rounds of the calibration whose structures the search uses, because less than half of the data would be left.
  int rounds_used() const { return rounds_used_; }

  /// Sizes of trials: those of the last level take at most `most` seconds for the settings of the start, those of the first `few`, as far
  /// as the data allow. `factor`: of the estimates.
  std::vector<TuneLevel> choose_levels(double few, double most, double factor) const;
  void set_levels(const std::vector<TuneLevel>& levels);

  /// A trial with structures, points, flop and estimated seconds only. If the fit cannot be, `failure` has the reason.
  Trial plan(std::size_t level, const std::vector<double>& values) const;
  /// Fits. `warm`: a trial whose σ the search for σ starts from; may be null. Adds everything but `seconds` and `spent`.
  void fit(Trial& trial, const Trial* warm, const ProgressCallback& progress) const;

  /// The configuration of a fit of all data with the settings and σ of a trial.
  FitConfiguration final_options(const Trial& trial) const;

 private:
  FitConfiguration options(const TuneLevel& level, const std::vector<double>& values) const;
  DatasetView view(double fraction) const;
  double seconds_at(const TuneLevel& level) const;

  const Dataset& train_;
  FitConfiguration start_;
  std::string toml_;  // of the start
  std::vector<Knob> knobs_;
  bool keeps_sigma_, may_learn_metric_;
  int rounds_used_ = 0;
  std::vector<std::int64_t> numbers_;                 // of the frames of the search
  std::map<std::string, double> reference_energies_;  // eV, by element
  std::vector<TuneLevel> levels_;
  std::vector<DatasetView> views_;  // by level
};

}  // namespace gapkit::apps
