#pragma once

#include <gapkit/predict/predictor.hpp>
#include <string>

namespace gapkit::apps {

/// Counts frames with environments that the sparse set does not span.
class NoveltyWarning {
 public:
  void look_at(const Structure& frame, const Prediction& prediction);
  bool is_needed() const { return outside_ > 0; }
  int frames_outside() const { return outside_; }
  std::string text() const;

 private:
  int frames_ = 0, outside_ = 0;
  double largest_ = 0;
  std::string worst_;
};

}  // namespace gapkit::apps
