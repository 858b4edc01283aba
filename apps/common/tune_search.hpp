#pragma once

#include <functional>

#include "tune_trials.hpp"

namespace gapkit::apps {

/// The order of trials of gap-fit --tune, from coarse to fine:
///
/// 1. level 0: one knob after the other, in coarse steps away from the best value up to now, as long as the score falls;
/// 2. each further level: the best third of the trials of the level before, and the start;
/// 3. last level: one knob after the other in fine steps from the best trial, again and again until a pass lowers the loss by less than
///    its noise.
///
/// A trial of higher cost than the best one must lower the score by more than half the noise of the difference: else settings drift away
/// from the start without a gain. The order depends on the results only.
class TuneSearch {
 public:
  /// A trial that is done or was done before; null if it is left out. `share`: part of the time of the search that may have passed at its
  /// end.
  using Try = std::function<const Trial*(std::size_t level, const std::vector<double>& values, double share)>;

  TuneSearch(const std::vector<Knob>& knobs, std::size_t levels, const TrialJudge& judge, Try trial)
      : knobs_(knobs), levels_(levels), judge_(judge), try_(std::move(trial)) {}

  /// The chosen trial, of the highest level at which the start has a rival. Null if the start was left out.
  const Trial* run();
  /// The best trials up to now, one for each improvement at a level.
  const std::vector<const Trial*>& path() const { return path_; }
  /// Why the search ended.
  const std::string& end() const { return end_; }

 private:
  using Trials = std::vector<const Trial*>;

  const Trial* attempt(std::size_t level, const std::vector<double>& values, double share);
  bool is_better(const Trial& trial, const Trial& best) const;
  void walk(std::size_t knob, bool fine, double share);
  void search_coarsely();
  void promote();
  void refine();
  const Trial* best_promoted() const;

  const std::vector<Knob>& knobs_;
  std::size_t levels_;
  const TrialJudge& judge_;
  Try try_;
  std::vector<double> start_;
  std::vector<Trials> done_;  // by level, without failures
  const Trial* best_ = nullptr;
  std::vector<double> gain_;   // of the score, by knob, at the coarse level
  bool has_left_out_ = false;  // a trial, since a pass began
  std::vector<const Trial*> path_;
  std::string end_;
};

}  // namespace gapkit::apps
