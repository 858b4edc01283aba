#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/report/report_pages.hpp>
#include <memory>

#include "progress_display.hpp"
#include "resources.hpp"

namespace gapkit::apps {

/// gap-predict --report: collects predictions and writes the page.
class PredictionReporter {
 public:
  PredictionReporter(std::shared_ptr<const Model> model, std::string model_path, std::string input);

  void add(const Structure& frame, const Prediction& prediction) { record_.add(frame, prediction); }
  /// Frames that were not added, and why; the page says so.
  void say_left_out(std::string text) { left_out_ = std::move(text); }
  /// `predicting`: seconds that the predictions took. `note`: of the error bars, may be empty.
  void write(const std::string& path, double predicting, const std::string& note, const Stopwatch& stopwatch) const;

 private:
  std::shared_ptr<const Model> model_;
  std::string model_path_, input_;
  PredictionRecord record_;
  std::string left_out_;
};

/// gap-fit --report, after the model is finished. `training` and `validation` hold all their frames.
/// Predicts the validation data once more with error bars; only some of the frames if all would take long (the page says so).
void write_fit_report(const std::string& path, const std::shared_ptr<const Model>& model, const FitConfiguration& options,
                      const FitReport& report, const PredictionRecord& training, const PredictionRecord& validation,
                      const Stopwatch& stopwatch, ProgressDisplay& display);

}  // namespace gapkit::apps
