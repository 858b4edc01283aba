#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/targets.hpp>

namespace gapkit {
namespace {

void check_source(std::string_view name) {
  for (const TargetSource& source : target_sources())
    if (source.name == name) return;
  throw Error("no target has the source '" + std::string(name) + "'");
}

}  // namespace

const std::string& TargetKeys::named(std::string_view source) const {
  static const std::string none;
  check_source(source);
  const auto found = names.find(source);
  return found == names.end() ? none : found->second;
}

void TargetKeys::name(std::string_view source, const std::string& key) {
  check_source(source);
  names[std::string(source)] = key;
}

bool TargetKeys::names_any(const TargetInfo& target) const {
  return std::any_of(target.sources.begin(), target.sources.end(), [&](const TargetSource& s) { return !named(s.name).empty(); });
}

const std::map<std::string, long>& TargetReport::keys_of(std::string_view source) const {
  static const std::map<std::string, long> none;
  check_source(source);
  const auto found = keys.find(source);
  return found == keys.end() ? none : found->second;
}

bool TargetReport::has(const TargetInfo& target) const {
  return std::any_of(target.sources.begin(), target.sources.end(), [&](const TargetSource& s) { return !keys_of(s.name).empty(); });
}

std::vector<std::string> TargetReport::same_value_lines() const {
  std::vector<std::string> out;
  for (const auto& [names, count] : same_values)
    out.push_back(fmt::format("'{}' has the same values as '{}' in {} frame{}; '{}' is used", names.second, names.first, count,
                              count == 1 ? "" : "s", names.first));
  return out;
}

std::vector<std::string> TargetReport::lines() const {
  const auto line = [&](const TargetSource& source) {
    std::string found;
    for (const auto& [key, count] : keys_of(source.name))
      found += fmt::format("{}{} '{}' in {}", found.empty() ? "" : ", ", source.is_column ? "column" : "key", key, count);
    if (found.empty()) return fmt::format("{}: in none of {} frames", source.name, frames);
    return fmt::format("{}: {} of {} frames{}", source.name, found, frames, source.note);
  };
  std::vector<std::string> out;
  for (const TargetInfo& target : targets()) {
    if (!has(target)) out.push_back(line(target.sources.front()));
    for (const TargetSource& source : target.sources)
      if (!keys_of(source.name).empty()) out.push_back(line(source));
  }
  for (const std::string& text : same_value_lines()) out.push_back(text);
  if (frames_with_unused_free_energy > 0)
    out.push_back(
        fmt::format("free_energy is present in {} frame{} and not used: forces of many codes belong to it; name it with [data] energy_key "
                    "or --energy-key to use it",
                    frames_with_unused_free_energy, frames_with_unused_free_energy == 1 ? "" : "s"));
  return out;
}

}  // namespace gapkit
