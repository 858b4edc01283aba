#include <fmt/format.h>

#include <gapkit/io/targets.hpp>

namespace gapkit {

std::vector<std::string> TargetReport::same_value_lines() const {
  std::vector<std::string> out;
  for (const auto& [names, count] : same_values)
    out.push_back(fmt::format("'{}' has the same values as '{}' in {} frame{}; '{}' is used", names.second, names.first, count,
                              count == 1 ? "" : "s", names.first));
  return out;
}

std::vector<std::string> TargetReport::lines() const {
  const auto line = [&](const char* property, const char* kind, const std::map<std::string, long>& used, const char* note) {
    std::string found;
    for (const auto& [key, count] : used) found += fmt::format("{}{} '{}' in {}", found.empty() ? "" : ", ", kind, key, count);
    if (found.empty()) return fmt::format("{}: in none of {} frames", property, frames);
    return fmt::format("{}: {} of {} frames{}", property, found, frames, note);
  };
  std::vector<std::string> out;
  out.push_back(line("energy", "key", energy_keys, ""));
  out.push_back(line("forces", "column", forces_keys, ""));
  if (!virial_keys.empty() || stress_keys.empty()) out.push_back(line("virial", "key", virial_keys, ""));
  if (!stress_keys.empty()) out.push_back(line("stress", "key", stress_keys, " (virial = −stress·volume)"));
  for (const std::string& text : same_value_lines()) out.push_back(text);
  if (frames_with_unused_free_energy > 0)
    out.push_back(
        fmt::format("free_energy is present in {} frame{} and not used: forces of many codes belong to it; name it with [data] energy_key "
                    "or --energy-key to use it",
                    frames_with_unused_free_energy, frames_with_unused_free_energy == 1 ? "" : "s"));
  return out;
}

}  // namespace gapkit
