#pragma once

#include <gapkit/predict/closeness.hpp>

namespace gapkit::apps {

/// Says at the end which frames have atoms so close to each other that a prediction means nothing.
class ClosenessWarning {
 public:
  /// `frame`: its place, for the message.
  void look_at(const std::string& frame, const Closeness& closeness);
  bool is_needed() const { return close_ > 0; }
  int close_frames() const { return close_; }
  std::string text() const;

 private:
  int frames_ = 0, close_ = 0;
  CloseAtoms worst_;
  std::string worst_frame_;
};

}  // namespace gapkit::apps
