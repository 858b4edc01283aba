#include <gapkit/model/term_kernel.hpp>
#include <gapkit/predict/frame_batch.hpp>
#include <gapkit/report/fitted_with_errors.hpp>
#include <gapkit/report/optimization_json.hpp>
#include <gapkit/report/report_pages.hpp>
#include <gapkit/report/target_keys_note.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {

ErrorTable errors_of(const std::shared_ptr<const Model>& model, const Dataset& data, const ProgressEvent& phase,
                     const ProgressCallback& progress, const FieldTables& fields) {
  const auto& [record, properties, tensors, has_tensor_bars] = fields;
  ErrorTable table;
  Predictor predictor(model);
  double done = 0;
  const PredictionRequest request{.forces = have_derivatives(model->terms),
                                  .properties = properties != nullptr,
                                  .tensors = tensors != nullptr,
                                  .tensor_covariance = has_tensor_bars};
  FrameBatch batch(predictor, request, [&](const Structure& frame, const Prediction& prediction) {
    if (record) record->add(frame, prediction);
    table.add(frame, prediction);
    if (properties) properties->add(frame, prediction);
    if (tensors) tensors->add(frame, prediction);
    if (progress) progress({.phase = phase.phase, .done = ++done, .total = phase.total, .unit = "frames"});
  });
  data.visit([&](const Structure& frame, const FramePlace&) { batch.add(frame); });
  batch.flush();
  return table;
}

FittedWithErrors::FittedWithErrors(const FitData& data, const TargetKeys& keys, FitResult& result, bool keep_values,
                                   const ProgressCallback& progress)
    : model(std::make_shared<Model>(std::move(result.model))),
      training_record(model->reference_energies, keep_values),
      validation_record(model->reference_energies, keep_values),
      training_properties(*model),
      validation_properties(*model),
      training(errors_of(model, data.train, {.phase = "training errors", .total = static_cast<double>(result.report.plan.frames)}, progress,
                         {&training_record, &training_properties, &training_tensors})) {
  if (data.validation)
    validation = errors_of(model, *data.validation, {.phase = "validation errors"}, progress,
                           {&validation_record, &validation_properties, &validation_tensors, true});
  model->notes["training_errors"] = training.json();
  if (!validation.empty()) model->notes["validation_errors"] = validation.json();
  if (!training_properties.empty()) model->notes["training_properties"] = training_properties.json();
  if (!validation_properties.empty()) model->notes["validation_properties"] = validation_properties.json();
  if (!training_tensors.empty()) model->notes["training_tensors"] = training_tensors.json();
  if (!validation_tensors.empty()) model->notes["validation_tensors"] = validation_tensors.json();
  model->notes[target_keys_note] = target_keys_to_json(keys);
  model->notes[sparse_counts_note] = sparse_counts_to_json(count_sparse_points(*model, training_record));
  if (result.report.optimization) model->notes["optimization"] = optimization_json(*result.report.optimization).dump();
}

}  // namespace gapkit
