#pragma once

#include <gapkit/model/model.hpp>
#include <nlohmann/json_fwd.hpp>

namespace gapkit::apps {

/// Sizes and settings of term number `t` for gap-info. Cost: M_t³/3 flop for the effective rank.
nlohmann::ordered_json term_json(const Model& model, std::size_t t);
/// Tables of the terms of model_json().
std::string terms_text(const nlohmann::ordered_json& terms);

}  // namespace gapkit::apps
