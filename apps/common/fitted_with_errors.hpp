#pragma once

#include <gapkit/config/config.hpp>
#include <gapkit/report/error_table.hpp>
#include <gapkit/report/report_pages.hpp>
#include <memory>

#include "progress_display.hpp"

namespace gapkit::apps {

bool has_checkpoint(const FitConfiguration& options);

/// A fitted model with its error tables; written to options.model_path by save().
struct FittedWithErrors {
  std::shared_ptr<Model> model;
  PredictionRecord training_record, validation_record;  ///< of all frames
  ErrorTable training, validation;

  FittedWithErrors(const FitFiles& files, const FitConfiguration& options, FitResult& result, bool with_report, ProgressDisplay& display);

  void save(const FitConfiguration& options, const FitResult& result) const;
};

}  // namespace gapkit::apps
