#include <fmt/format.h>

#include <gapkit/core/errors.hpp>
#include <gapkit/report/target_keys_note.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {

namespace {

std::string use_name(const TargetInfo& target) {
  return std::string("use_") + target.sources.front().name;
}

}  // namespace

std::string target_keys_to_json(const TargetKeys& keys) {
  nlohmann::ordered_json json;
  for (const TargetSource& source : target_sources()) json[source.name] = keys.named(source.name);
  json["config_type"] = keys.config_type;
  json["force_mask"] = keys.force_mask;
  for (const TargetInfo& target : targets()) json[use_name(target)] = keys.use[target.property];
  return json.dump();
}

TargetKeys target_keys_from_json(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    TargetKeys keys;
    for (const TargetSource& source : target_sources())
      if (json.contains(source.name)) keys.name(source.name, json.at(source.name).get<std::string>());
    json.at("config_type").get_to(keys.config_type);
    json.at("force_mask").get_to(keys.force_mask);
    // Absent in old models, which used all targets.
    for (const TargetInfo& target : targets())
      keys.use[target.property] = json.value(use_name(target), json.contains(target.sources.front().name));
    return keys;
  } catch (const nlohmann::json::exception& e) {
    throw InputError(fmt::format("the model's note '{}' cannot be read ({}); fit the model again", target_keys_note, e.what()));
  }
}

}  // namespace gapkit
