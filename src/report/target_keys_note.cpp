#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/report/target_keys_note.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {

std::string target_keys_to_json(const TargetKeys& keys) {
  const nlohmann::ordered_json json = {{"energy", keys.energy},         {"forces", keys.forces},           {"virial", keys.virial},
                                       {"stress", keys.stress},         {"config_type", keys.config_type}, {"force_mask", keys.force_mask},
                                       {"use_energy", keys.use_energy}, {"use_forces", keys.use_forces},   {"use_virial", keys.use_virial}};
  return json.dump();
}

TargetKeys target_keys_from_json(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    TargetKeys keys{json.at("energy"), json.at("forces"),      json.at("virial"),
                    json.at("stress"), json.at("config_type"), json.at("force_mask")};
    keys.set_use(json.value("use_energy", true), json.value("use_forces", true), json.value("use_virial", true));  // absent in old models
    return keys;
  } catch (const nlohmann::json::exception& e) {
    throw InputError(fmt::format("the model's note '{}' cannot be read ({}); fit the model again", target_keys_note, e.what()));
  }
}

}  // namespace gapkit
