#include "fitted_file.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <gapkit/core/errors.hpp>
#include <nlohmann/json.hpp>

#include "interruption.hpp"
#include "text_file.hpp"

namespace gapkit::apps {

FitResult fit_interruptibly(const FitFiles& files, const FitConfiguration& options, ProgressDisplay& display) {
  catch_signals();
  try {
    FitResult result = fit_configured(files.data(), options, interruptible(display.callback()));
    display.finish();
    return result;
  } catch (const Interrupted& e) {
    display.finish();
    throw Interrupted(fmt::format("{}; {}", e.what(),
                                  has_checkpoint(options) ? fmt::format("the same command continues from {}", options.checkpoint_path)
                                                          : "no state was saved yet; the same command starts again"));
  }
}

void write_json(const std::string& path, const nlohmann::ordered_json& json) {
  write_text_file(path, json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

bool has_checkpoint(const FitConfiguration& options) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(options.checkpoint_path, ignored);
}

void save_fitted(const Model& model, const FitResult& result, const FitConfiguration& options) {
  if (result.statistics)
    save_model(model, *result.statistics, options.model_path);
  else
    save_model(model, options.model_path);
  std::error_code ignored;  // the model is safe; what is left of the checkpoint does no harm
  if (has_checkpoint(options)) std::filesystem::remove(options.checkpoint_path, ignored);
}

}  // namespace gapkit::apps
