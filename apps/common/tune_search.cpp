#include "tune_search.hpp"

#include <algorithm>
#include <numeric>

namespace gapkit::apps {
namespace {

constexpr double share_of_coarse = 0.5, share_of_promotion = 0.75;  // of the time of the search, at the end of a stage
constexpr std::size_t most_promoted = 6;
constexpr int most_passes = 4;
constexpr double noise_of_expensive = 1, noise_of_cheap = 0.5;  // times the noise: gain that a trial of higher or lower cost needs

}  // namespace

const Trial* TuneSearch::attempt(std::size_t level, const std::vector<double>& values, double share) {
  const Trial* trial = try_(level, values, share);
  if (!trial) has_left_out_ = true;
  if (!trial || !trial->is_good()) return nullptr;
  TuneSearch::Trials& done = done_[level];
  if (std::find(done.begin(), done.end(), trial) == done.end()) done.push_back(trial);
  return trial;
}

bool TuneSearch::is_better(const Trial& trial, const Trial& best) const {
  const double needed = (trial.flop > best.flop ? noise_of_expensive : noise_of_cheap) * judge_.noise(trial, best);
  return judge_.score(trial) + needed < judge_.score(best);
}

/// Moves one knob of the best trial as long as the score falls.
void TuneSearch::walk(std::size_t knob, bool fine, double share) {
  const Trial* const first = best_;
  for (const bool up : {true, false}) {
    while (const std::optional<double> to = knobs_[knob].moved(best_->values[knob], up, fine)) {
      std::vector<double> values = best_->values;
      values[knob] = *to;
      const Trial* trial = attempt(best_->level, values, share);
      if (!trial || !is_better(*trial, *best_)) break;
      gain_[knob] += judge_.score(*best_) - judge_.score(*trial);
      best_ = trial;
      path_.push_back(best_);
    }
    if (best_ != first) return;
  }
}

void TuneSearch::search_coarsely() {
  for (std::size_t k = 0; k < knobs_.size(); ++k)
    if (has_effect(knobs_, best_->values, k)) walk(k, false, share_of_coarse);
}

/// The best trials of a level go to the next one.
void TuneSearch::promote() {
  for (std::size_t level = 1; level < levels_; ++level) {
    Trials candidates = done_[level - 1];
    std::stable_sort(candidates.begin(), candidates.end(),
                     [&](const Trial* a, const Trial* b) { return judge_.score(*a) < judge_.score(*b); });
    candidates.resize(std::min({candidates.size(), most_promoted, std::max<std::size_t>(2, (candidates.size() + 2) / 3)}));
    attempt(level, start_, 1);  // what all others are compared with
    for (const Trial* candidate : candidates) attempt(level, candidate->values, share_of_promotion);
  }
  best_ = best_promoted();
  if (best_->level > 0) path_.push_back(best_);
}

/// Passes over all knobs, those with the largest gain at the coarse level first.
void TuneSearch::refine() {
  std::vector<std::size_t> order(knobs_.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return gain_[a] > gain_[b]; });
  for (int pass = 0; pass < most_passes; ++pass) {
    const Trial* const first = best_;
    has_left_out_ = false;
    for (const std::size_t k : order)
      if (has_effect(knobs_, best_->values, k)) walk(k, true, 1);
    const double gain = judge_.loss(*first) - judge_.loss(*best_);
    if (has_left_out_) {
      end_ = "the rest of the time is too short for the steps that were left out";
      return;
    }
    if (best_ == first || gain < judge_.noise(*best_, *first)) {
      end_ = best_ == first ? "no step lowers the score" : "the gain of the last pass is below its noise";
      return;
    }
  }
  end_ = "all passes are done";
}

/// The best trial of the highest level that has rivals.
const Trial* TuneSearch::best_promoted() const {
  for (std::size_t level = levels_; level-- > 0;) {
    const Trials& done = done_[level];
    if (level == 0) return best_;
    if (done.size() < 2 && done_[0].size() > 1) continue;
    const Trial* best = nullptr;  // the start, if it was done, is the first
    for (const Trial* trial : done)
      if (!best || is_better(*trial, *best)) best = trial;
    if (best) return best;
  }
  return best_;
}

const Trial* TuneSearch::run() {
  for (const Knob& knob : knobs_) start_.push_back(knob.start());
  done_.assign(levels_, {});
  gain_.assign(knobs_.size(), 0.0);
  best_ = attempt(0, start_, 1);
  if (!best_) return nullptr;
  path_.push_back(best_);
  search_coarsely();
  promote();
  refine();
  return best_;
}

}  // namespace gapkit::apps
