#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/report/extrapolation_table.hpp>
#include <gapkit/report/fitted_with_errors.hpp>
#include <gapkit/report/report_pages.hpp>
#include <memory>

#include "progress_display.hpp"
#include "resources.hpp"

namespace gapkit::apps {

/// gap-predict --report: collects predictions and writes the page.
class PredictionReporter {
 public:
  PredictionReporter(std::shared_ptr<const Model> model, std::string model_path, std::string input);

  void add(const Structure& frame, const Prediction& prediction) {
    record_.add(frame, prediction);
    extrapolation_.add(frame, prediction);
  }
  /// The page shows this sentence about frames that were not added.
  void say_left_out(std::string text) { left_out_ = std::move(text); }
  /// `predicting`: seconds spent on predictions. `note`: about the error bars, may be empty.
  void write(const std::string& path, double predicting, const std::string& note, const Stopwatch& stopwatch) const;
  /// The page shows these errors of local properties and tensors; they must outlive the object.
  void show_properties(const PropertyTable& properties) { properties_ = &properties; }
  void show_tensors(const TensorTable& tensors) { tensors_ = &tensors; }

 private:
  std::shared_ptr<const Model> model_;
  std::string model_path_, input_;
  PredictionRecord record_;
  ExtrapolationTable extrapolation_;
  std::string left_out_;
  const PropertyTable* properties_ = nullptr;
  const TensorTable* tensors_ = nullptr;
};

/// A fit as its page shows it. Its records hold all frames.
struct ShownFit {
  const FittedWithErrors& fitted;
  const FitConfiguration& options;
  const FitReport& report;
};

/// gap-fit --report, after the model is finished.
/// Predicts the validation data again, with error bars; only a part of the frames if all would take long (the page says so).
void write_fit_report(const std::string& path, const ShownFit& fit, const Stopwatch& stopwatch, ProgressDisplay& display);

}  // namespace gapkit::apps
