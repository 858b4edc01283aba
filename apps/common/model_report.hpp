#pragma once

#include <gapkit/model/model.hpp>
#include <nlohmann/json_fwd.hpp>

namespace gapkit::apps {

/// Contents of a model for gap-info: versions, reference energies, terms with sizes and effective rank, noise groups, errors.
///
/// The effective rank is computed from the sparse points; cost Σ M_t³/3 flop.
nlohmann::ordered_json model_json(const Model& model);
/// The same as text.
std::string model_text(const nlohmann::ordered_json& model);

/// Source and factors; null without a calibration.
nlohmann::ordered_json calibration_json(const std::optional<Calibration>& calibration);
/// One line for the summary of a fit.
std::string calibration_line(const std::optional<Calibration>& calibration);

}  // namespace gapkit::apps
