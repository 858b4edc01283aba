#include "target_keys.hpp"

#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <nlohmann/json.hpp>

namespace gapkit::apps {

std::string target_keys_to_json(const TargetKeys& keys) {
  const nlohmann::ordered_json json = {{"energy", keys.energy}, {"forces", keys.forces},           {"virial", keys.virial},
                                       {"stress", keys.stress}, {"config_type", keys.config_type}, {"force_mask", keys.force_mask}};
  return json.dump();
}

TargetKeys target_keys_from_json(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    return {json.at("energy"), json.at("forces"), json.at("virial"), json.at("stress"), json.at("config_type"), json.at("force_mask")};
  } catch (const nlohmann::json::exception& e) {
    throw InputError(fmt::format("the model's note '{}' cannot be read ({}); fit the model again", target_keys_note, e.what()));
  }
}

}  // namespace gapkit::apps
