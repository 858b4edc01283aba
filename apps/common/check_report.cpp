#include "check_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fit_report.hpp"
#include "words.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

Json keys_json(const TargetReport& targets) {
  return {
      {"energy", targets.energy_keys}, {"forces", targets.forces_keys}, {"virial", targets.virial_keys}, {"stress", targets.stress_keys}};
}

}  // namespace

std::string check_text(const CheckReport& report, const FitConfiguration& options) {
  CheckReport::Counts all;
  std::string rows;
  const auto row = [](const std::string& name, const CheckReport::Counts& c) {
    return fmt::format("{:<24}{:>10}{:>12}{:>10}{:>10}{:>10}\n", name, c.frames, c.atoms, c.energies, c.forces, c.virials);
  };
  for (const auto& [name, c] : report.config_types) {
    rows += row(name, c);
    all.frames += c.frames;
    all.atoms += c.atoms;
    all.energies += c.energies;
    all.forces += c.forces;
    all.virials += c.virials;
  }
  std::string out =
      fmt::format("{:<24}{:>10}{:>12}{:>10}{:>10}{:>10}\n", "config type", "frames", "atoms", "energies", "forces", "virials");
  out += rows + row("all", all) + "\n";
  for (const std::string& line : report.targets.lines()) out += line + "\n";
  out += "\n";
  if (report.plan) out += plan_text(*report.plan, options) + "\n";
  for (const CheckFinding& finding : report.findings) out += fmt::format("{}: {}\n", severity_name(finding.severity), finding.message);
  if (!report.findings.empty()) out += "\n";
  return out +
         fmt::format("{}, {}, {}\n", plural(report.errors, "error"), plural(report.warnings, "warning"), plural(report.notes, "note"));
}

Json check_json(const CheckReport& report, const FitConfiguration& options) {
  Json json;
  json["errors"] = report.errors;
  json["warnings"] = report.warnings;
  json["notes"] = report.notes;
  json["findings"] = Json::array();
  for (const CheckFinding& finding : report.findings) json["findings"].push_back(finding_json(finding));
  json["config_types"] = Json::object();
  for (const auto& [name, c] : report.config_types)
    json["config_types"][name] = {
        {"frames", c.frames}, {"atoms", c.atoms}, {"energies", c.energies}, {"forces", c.forces}, {"virials", c.virials}};
  json["keys"] = keys_json(report.targets);
  json["plan"] = report.plan ? plan_json(*report.plan, options) : Json(nullptr);
  return json;
}

}  // namespace gapkit::apps
