#pragma once

#include <gapkit/predict/closeness.hpp>

#include "progress_display.hpp"

namespace gapkit::apps {

/// Counts frames whose atoms are too close to each other for a prediction, or whose prediction is not finite.
class ClosenessWarning {
 public:
  /// `frame`: file, line and number, for the message.
  void look_at(const std::string& frame, const Closeness& closeness, bool is_finite);
  /// Whether a frame with a finite prediction has close atoms.
  bool is_needed() const { return close_.frames > 0; }
  std::string text() const;
  int close_frames() const { return close_.frames + not_finite_.with_pair; }
  int frames_not_finite() const { return not_finite_.frames; }
  /// Empty if all predictions are finite. `consequence` is a clause about the frames, with "they".
  std::string not_finite_text(const std::string& consequence) const;
  /// If a prediction was not finite: warns and throws FailureWasSaid with exit_numerical_failure.
  void finish(ProgressDisplay& display, const std::string& consequence) const;

 private:
  struct Found {
    int frames = 0, with_pair = 0;
    CloseAtoms worst;
    std::string worst_frame;

    void add(const std::string& frame, const std::optional<CloseAtoms>& pair);
  };
  int frames_ = 0;
  Found close_, not_finite_;
};

}  // namespace gapkit::apps
