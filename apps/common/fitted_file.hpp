#pragma once

#include <gapkit/config/fit_configuration.hpp>

namespace gapkit::apps {

bool has_checkpoint(const FitConfiguration& options);

/// Writes a fitted model, with the statistics of `result` if there are any, to options.model_path; the checkpoint goes.
void save_fitted(const Model& model, const FitResult& result, const FitConfiguration& options);

}  // namespace gapkit::apps
