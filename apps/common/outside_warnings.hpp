#pragma once

#include <gapkit/predict/predictor.hpp>
#include <set>

#include "closeness_warning.hpp"

namespace gapkit::apps {

/// Says which frames the sparse set does not span.
class NoveltyWarning {
 public:
  void look_at(const std::string& frame, const Prediction& prediction);
  bool is_needed() const { return outside_ > 0; }
  int frames_outside() const { return outside_; }
  std::string text() const;

 private:
  int frames_ = 0, outside_ = 0;
  double largest_ = 0;
  std::string worst_;
};

/// Says, once for each term, that a frame has environments of which the training data had none.
class UnsampledWarning {
 public:
  /// Texts of the terms that no frame before had.
  std::vector<std::string> look_at(const std::string& frame, const Model& model, const Prediction& prediction);

 private:
  std::set<std::size_t> warned_;  // terms
};

/// For programs that predict until somebody ends them: each kind of trouble is said when it first occurs, and not again.
class OutsideWarnings {
 public:
  /// `model_name` begins each text; may be empty.
  OutsideWarnings(const Model& model, std::string model_name) : model_(model), model_name_(std::move(model_name)) {}

  void look_at(const std::string& frame, const Prediction& prediction, ProgressDisplay& display);

 private:
  const Model& model_;
  std::string model_name_;
  ClosenessWarning closeness_;
  NoveltyWarning novelty_;
  UnsampledWarning unsampled_;
};

}  // namespace gapkit::apps
