#pragma once

#include <gapkit/predict/predictor.hpp>

#include "resources.hpp"

namespace gapkit::apps {

/// Collects structures until they hold enough atoms, then predicts them together and hands each on, in order.
template <class Use>
class FrameBatch {
 public:
  /// use(Structure&, const Prediction&)
  FrameBatch(Predictor& predictor, const PredictionRequest& request, Use use)
      : predictor_(predictor), request_(request), use_(std::move(use)) {}

  void add(Structure frame) {
    atoms_ += frame.size();
    frames_.push_back(std::move(frame));
    if (atoms_ >= enough_atoms) flush();
  }

  void flush() {
    if (frames_.empty()) return;
    const Stopwatch stopwatch;
    const std::vector<Prediction> predictions = predictor_.compute(frames_, request_);
    seconds_ += stopwatch.seconds();
    for (std::size_t k = 0; k < frames_.size(); ++k) use_(frames_[k], predictions[k]);
    frames_.clear();
    atoms_ = 0;
  }

  /// Wall time of the predictions so far.
  double seconds() const { return seconds_; }

 private:
  static constexpr int enough_atoms = 512;
  Predictor& predictor_;
  PredictionRequest request_;
  Use use_;
  std::vector<Structure> frames_;
  int atoms_ = 0;
  double seconds_ = 0;
};

}  // namespace gapkit::apps
