#include "html_reports.hpp"

#include <fmt/format.h>

#include <gapkit/model/term_kernel.hpp>
#include <gapkit/report/report_pages.hpp>

#include "error_bar_notes.hpp"
#include "text_file.hpp"

namespace gapkit::apps {
namespace {

std::string joined(const std::vector<std::string>& files) {
  std::string text;
  for (const std::string& file : files) text += (text.empty() ? "" : ", ") + file;
  return text;
}

// Largest cost of error bars for a report, at about 2 M² flop per row.
constexpr double most_flop = 1e12;

// n if error bars of every n-th frame keep the cost below most_flop.
std::int64_t frame_stride(const Model& model, const PredictionRecord& validation) {
  const auto points = static_cast<double>(model.weights.size());
  double rows = 0;
  for (const TargetInfo& target : targets())
    rows += target.components * static_cast<double>(target.is_per_atom ? validation.atoms() : validation.frames().size());
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(2 * rows * points * points / most_flop)));
}

PredictionRecord with_error_bars(const std::shared_ptr<const Model>& model, const FitConfiguration& options, std::int64_t stride,
                                 std::int64_t frames, ProgressDisplay& display) {
  PredictionRecord record(model->reference_energies);
  Predictor predictor(model);
  FileDataset(options.validation, options.keys).visit([&](const Structure& frame, const FramePlace& place) {
    const std::int64_t number = place.number;
    PredictionRequest request{.forces = have_derivatives(model->terms)};
    for (const TargetInfo& target : targets())
      request.std_of(target.property) = target.shown_scale(frame).has_value() &&
                                        (request.forces || (target.property != Property::force && target.property != Property::virial));
    if (number % stride == 0) record.add(frame, predictor.compute(frame, request), number + 1);
    display.show({"error bars", static_cast<double>(number + 1), static_cast<double>(frames), "frames", "", false});
  });
  display.finish();
  return record;
}

std::string error_bar_note(const Model& model, std::int64_t stride) {
  std::string note = !model.calibration ? "The error bars are uncalibrated."
                     : model.calibration->source == "validation"
                         ? "The error bars were calibrated with these very data: only other data can show whether they are right."
                     : model.calibration->source == "leave_one_out"
                         ? "The error bars were calibrated with errors of training frames, each predicted by the model without it."
                         : "The error bars were calibrated with frames that were set aside from the training data.";
  if (model.calibration)
    if (const std::string names = uncalibrated_properties(*model.calibration); !names.empty())
      note += fmt::format(" Not calibrated, as there were no data of them: {}.", names);
  if (stride > 1) note += fmt::format(" Only every {}th frame is used, so that the report does not take long.", stride);
  return note;
}

}  // namespace

PredictionReporter::PredictionReporter(std::shared_ptr<const Model> model, std::string model_path, std::string input)
    : model_(std::move(model)), model_path_(std::move(model_path)), input_(std::move(input)), record_(model_->reference_energies) {}

void PredictionReporter::write(const std::string& path, double predicting, const std::string& note, const Stopwatch& stopwatch) const {
  ReportModel model{*model_, model_path_, dimer_curves(model_)};
  if (properties_) model.properties = {{"", properties_}};
  if (tensors_) model.tensors = {{"", tensors_}};
  const ReportTiming timing{{{"predictions", predicting}}, stopwatch.seconds(), peak_memory_gb()};
  write_text_file(path, prediction_report(model, {"", input_, record_, note, left_out_, &extrapolation_}, timing));
}

void write_fit_report(const std::string& path, const ShownFit& fit, const Stopwatch& stopwatch, ProgressDisplay& display) {
  const FitConfiguration& options = fit.options;
  std::vector<ReportData> data;
  PredictionRecord error_bars;
  const std::int64_t stride = frame_stride(*fit.fitted.model, fit.fitted.validation_record);
  const auto validation_frames = static_cast<std::int64_t>(fit.fitted.validation_record.frames().size());
  if (validation_frames > 0) data.push_back({"validation data", joined(options.validation), fit.fitted.validation_record, ""});
  data.push_back({"training data", joined(options.train), fit.fitted.training_record, ""});
  if (fit.fitted.validation_record.has_reference() && fit.fitted.model->has_posterior())
    error_bars = with_error_bars(fit.fitted.model, options, stride, validation_frames, display);
  const ReportData bars{"validation data", joined(options.validation), error_bars, error_bar_note(*fit.fitted.model, stride)};
  ReportTiming timing{{}, stopwatch.seconds(), peak_memory_gb()};
  const FitReport& report = fit.report;
  for (const auto& [phase, time] : report.phases) timing.seconds.emplace_back(phase, time.wall);
  if (report.optimization && report.phases.count("optimize") == 0) timing.seconds.emplace_back("optimize", report.optimization->seconds);
  const ReportModel shown{*fit.fitted.model,
                          options.model_path,
                          dimer_curves(fit.fitted.model),
                          {{"validation data", &fit.fitted.validation_properties}, {"training data", &fit.fitted.training_properties}},
                          {{"validation data", &fit.fitted.validation_tensors}, {"training data", &fit.fitted.training_tensors}}};
  write_text_file(path, fit_report(shown, data, bars, report, timing));
}

}  // namespace gapkit::apps
