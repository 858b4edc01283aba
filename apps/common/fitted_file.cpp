#include "fitted_file.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "text_file.hpp"

namespace gapkit::apps {

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
