#pragma once

#include <gapkit/core/phase_clock.hpp>
#include <gapkit/predict/predictor.hpp>

namespace gapkit {

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
    PhaseClock clock;
    const std::vector<Prediction> predictions = predictor_.compute(frames_, request_);
    time_ += clock.lap();
    for (std::size_t k = 0; k < frames_.size(); ++k) use_(frames_[k], predictions[k]);
    frames_.clear();
    atoms_ = 0;
  }

  /// Time of the predictions so far.
  PhaseTime time() const { return time_; }

 private:
  static constexpr int enough_atoms = 512;
  Predictor& predictor_;
  PredictionRequest request_;
  Use use_;
  std::vector<Structure> frames_;
  int atoms_ = 0;
  PhaseTime time_;
};

}  // namespace gapkit
