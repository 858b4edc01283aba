#pragma once

#include <gapkit/config/config.hpp>
#include <nlohmann/json_fwd.hpp>

namespace gapkit::apps {

/// Writes the results of a program.
void write_json(const std::string& path, const nlohmann::ordered_json& json);

bool has_checkpoint(const FitConfiguration& options);

/// Writes a fitted model, with the statistics of `result` if there are any, to options.model_path; the checkpoint goes.
void save_fitted(const Model& model, const FitResult& result, const FitConfiguration& options);

}  // namespace gapkit::apps
