#pragma once

#include <gapkit/predict/predictor.hpp>
#include <set>

#include "closeness_warning.hpp"

namespace gapkit::apps {

/// Counts frames with environments that the sparse set does not span.
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

/// Warns, once for each term, of a frame with environments that the training data did not have.
class UnsampledWarning {
 public:
  /// Texts about terms that occur for the first time.
  std::vector<std::string> look_at(const std::string& frame, const Model& model, const Prediction& prediction);

 private:
  std::set<std::size_t> warned_;  // terms
};

/// Warns, once each, of total charges that a frame lacks, and of a model that is the short range alone.
class AssumptionWarning {
 public:
  std::vector<std::string> look_at(const Structure& frame, const Model& model);

 private:
  std::set<std::string> warned_;
};

/// Warnings of programs without an end: each kind of warning appears once, when it first occurs.
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
