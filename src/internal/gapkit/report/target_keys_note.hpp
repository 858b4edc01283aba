#pragma once

#include <gapkit/io/targets.hpp>
#include <string>

namespace gapkit {

/// Name of the model's note with the keys of its fit, so that predictions are compared with the same properties.
inline constexpr const char* target_keys_note = "target_keys";

std::string target_keys_to_json(const TargetKeys& keys);
/// Throws InputError for a text that target_keys_to_json did not write.
TargetKeys target_keys_from_json(const std::string& text);

}  // namespace gapkit
