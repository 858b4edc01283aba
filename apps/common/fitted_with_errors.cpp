#include "fitted_with_errors.hpp"

#include <filesystem>
#include <gapkit/report/optimization_json.hpp>
#include <gapkit/report/report_pages.hpp>
#include <gapkit/report/target_keys_note.hpp>
#include <nlohmann/json.hpp>

#include "errors_of.hpp"

namespace gapkit::apps {

bool has_checkpoint(const FitConfiguration& options) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(options.checkpoint_path, ignored);
}

FittedWithErrors::FittedWithErrors(const FitFiles& files, const FitConfiguration& options, FitResult& result, bool with_report,
                                   ProgressDisplay& display)
    : model(std::make_shared<Model>(std::move(result.model))),
      training_record(model->reference_energies, with_report),
      validation_record(model->reference_energies, with_report),
      training(errors_of(model, files.train, "training errors", result.report.plan.frames, display, &training_record)),
      validation(errors_of(model, files.validation, "validation errors", 0, display, &validation_record)) {
  model->notes["training_errors"] = training.json();
  if (!validation.empty()) model->notes["validation_errors"] = validation.json();
  model->notes[target_keys_note] = target_keys_to_json(options.used_keys());
  model->notes[sparse_counts_note] = sparse_counts_to_json(count_sparse_points(*model, training_record));
  if (result.report.optimization) model->notes["optimization"] = optimization_json(*result.report.optimization).dump();
}

void FittedWithErrors::save(const FitConfiguration& options, const FitResult& result) const {
  if (result.statistics)
    save_model(*model, *result.statistics, options.model_path);
  else
    save_model(*model, options.model_path);
  std::error_code ignored;  // the model is saved; a remaining checkpoint does no harm
  if (has_checkpoint(options)) std::filesystem::remove(options.checkpoint_path, ignored);
}

}  // namespace gapkit::apps
