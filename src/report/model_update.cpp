#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/report/fitted_with_errors.hpp>
#include <gapkit/report/model_update.hpp>
#include <gapkit/report/optimization_json.hpp>
#include <memory>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

void merge_with(FittedModel& fitted, const ModelUpdate::Other& other) {
  const FittedModel theirs = other.load();
  try {
    merge(fitted, theirs);
  } catch (const InputError& e) {
    throw InputError(other.name + ": " + e.what());
  }
}

struct Before {
  bool was_calibrated, was_cautious;
};

/// Tells whether the error bars are still calibrated.
void calibrate_anew(FittedModel& fitted, const ModelUpdate& update, const Before& before, const ProgressCallback& progress) {
  if (update.training) {
    recalibrate(fitted, *update.training, {.cautious = update.cautious.value_or(before.was_cautious), .memory = update.memory}, progress);
    if (progress)
      progress({.phase = "calibration", .message = "the error bars were calibrated anew: structures of the named data were left out"});
    return;
  }
  if (update.validation) {
    fitted.model.calibration =
        calibrate_on(*update.validation, fitted.model, fitted.stored.rules, CalibrationOptions(), fitted.model.seed, progress);
    return;
  }
  if (!before.was_calibrated || !progress) return;
  const std::string remedy = (update.training_option.empty() ? "" : update.training_option + " (all data again) or ") +
                             update.validation_option + " calibrates anew";
  if (!fitted.model.calibration)
    progress({.phase = "calibration",
              .message = "the calibration of the error bars belonged to the model before and was dropped; " + remedy,
              .is_warning = true});
  else if (update.appended)
    progress({.phase = "calibration", .message = "the error bars keep the calibration from before the new data; " + remedy});
}

}  // namespace

ModelUpdateReport update_model(FittedModel& fitted, const ModelUpdate& update, const ProgressCallback& progress) {
  ModelUpdateReport report;
  const Before before{fitted.model.calibration.has_value(), is_cautious(fitted.model)};
  report.rows_before = fitted.stored.statistics.row_count();
  if (update.appended) report.frames_added = append(fitted, *update.appended, progress, &report.findings);
  for (const ModelUpdate::Other& other : update.merged) merge_with(fitted, other);
  report.optimization = refit(fitted, update.refit, progress);
  report.rows_added = fitted.stored.statistics.row_count() - report.rows_before;
  fitted.model.notes["optimization"] = optimization_json(report.optimization).dump();
  calibrate_anew(fitted, update, before, progress);
  if (update.validation) {
    const auto model = std::make_shared<const Model>(fitted.model);
    report.validation = errors_of(model, *update.validation, {.phase = "validation errors"}, progress);
  }
  if (!report.validation.empty()) fitted.model.notes["validation_errors"] = report.validation.json();
  return report;
}

}  // namespace gapkit
