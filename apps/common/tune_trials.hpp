#pragma once

#include <deque>
#include <nlohmann/json.hpp>

#include "tune_knobs.hpp"

namespace gapkit::apps {

/// A size of trials: coarse ones have a part of the structures and of the sparse points.
struct TuneLevel {
  double fraction = 1;  ///< of the structures
  double points = 1;    ///< factor of the numbers of sparse points
};

/// A σ that a trial found.
struct FoundSigma {
  Property property = Property::energy;
  std::string config_class;
  double sigma = 0;
};

/// Fit of one combination of settings at one level.
struct Trial {
  std::size_t level = 0;
  std::vector<double> values;                   ///< of each knob
  std::string failure;                          ///< why there is no result; else empty
  PerTarget<std::vector<double>> square, rows;  ///< of the errors in each left-out fold: Σ (error/h)², number
  double log_evidence = 0;
  std::map<std::string, double> factors;  ///< OptimizationReport::factors
  std::vector<FoundSigma> sigma;
  std::int64_t structures = 0, points = 0;
  double flop = 0;       ///< of the fit, by its plan: does not depend on the machine
  double estimated = 0;  ///< s, by the plan
  double seconds = 0;
  double spent = 0;  ///< s of the time of the search, when it ended

  bool is_good() const { return failure.empty(); }
  /// Root mean square over all folds, in the unit of σ; NaN without rows.
  double error(Property property) const;
};

/// Compares trials of one level.
///
/// The score is the loss of cross-validation, Σ weight · log(error), plus a price of the cost: twice the flop must lower all errors by one
/// percent.
class TrialJudge {
 public:
  explicit TrialJudge(const PerTarget<double>& weights) : weights_(weights) {}

  double loss(const Trial& trial) const;
  double score(const Trial& trial) const;
  /// Standard error, over the folds, of the difference of the losses.
  double noise(const Trial& a, const Trial& b) const;
  /// The same of change().
  double noise_of_change(const Trial& a, const Trial& b) const;
  /// Change of the errors (geometric mean over the properties), such as −0.03: 3 % lower than those of `from`.
  double change(const Trial& trial, const Trial& from) const;

 private:
  double weight_of(const Trial& trial) const;

  PerTarget<double> weights_;
};

nlohmann::ordered_json trial_json(const Trial& trial, const std::vector<Knob>& knobs);
/// Absent for a damaged line, or one of other knobs.
std::optional<Trial> trial_from_json(const nlohmann::ordered_json& json, const std::vector<Knob>& knobs);

/// The file of a search, MODEL.tune.jsonl: a line with its plan, one for each trial, one with the choice. It is replaced after each trial.
class TrialFile {
 public:
  /// What a search begins with; kept, so that the same command goes on with the same trials.
  struct Plan {
    std::string start;  ///< configuration, TOML
    std::vector<TuneLevel> levels;
    double final_seconds = 0;  ///< estimated, of the last fit with the settings of the start
  };

  static std::string path_of(const std::string& model_path) { return model_path + ".tune.jsonl"; }

  /// Reads the file if it exists. `key`: a checksum of data, options and version; results of others are dropped.
  TrialFile(std::string path, std::string key);

  const std::string& path() const { return path_; }
  const std::optional<Plan>& plan() const { return plan_; }
  void set_plan(Plan plan);
  /// Takes the trials of the file, which must be those of these knobs.
  void read_trials(std::vector<Knob> knobs);
  const std::deque<Trial>& trials() const { return trials_; }
  /// The trial of these values, or null.
  const Trial* find(std::size_t level, const std::vector<double>& values) const;
  const Trial& add(Trial trial);
  /// Time of the search (s) for which it ended, if it did.
  std::optional<double> finished() const { return finished_; }
  const std::string& end() const { return end_; }  ///< why it ended
  void set_finished(double seconds, std::string end);

 private:
  void read_line(const nlohmann::ordered_json& json);
  void write() const;

  std::string path_, key_;
  std::optional<Plan> plan_;
  std::vector<Knob> knobs_;
  std::vector<nlohmann::ordered_json> lines_;
  std::deque<Trial> trials_;  // addresses stay
  std::optional<double> finished_;
  std::string end_;
};

}  // namespace gapkit::apps
