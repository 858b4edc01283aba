#include "check_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "fit_report.hpp"
#include "words.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

Json keys_json(const TargetReport& report) {
  Json json;
  for (const TargetSource& source : target_sources()) json[source.name] = report.keys_of(source.name);
  return json;
}

}  // namespace

std::string check_text(const CheckReport& report, const FitConfiguration& options) {
  CheckReport::Counts all;
  std::string rows;
  const auto row = [](const std::string& name, const CheckReport::Counts& c) {
    std::string text = fmt::format("{:<24}{:>10}{:>12}", name, c.frames, c.atoms);
    for (const std::int64_t frames : c.with) text += fmt::format("{:>10}", frames);
    return text + "\n";
  };
  for (const auto& [name, c] : report.config_types) {
    rows += row(name, c);
    all.frames += c.frames;
    all.atoms += c.atoms;
    for (const TargetInfo& target : targets()) all.with[target.property] += c.with[target.property];
  }
  std::string out = fmt::format("{:<24}{:>10}{:>12}", "config type", "frames", "atoms");
  for (const TargetInfo& target : targets()) out += fmt::format("{:>10}", target.sources.front().plural);
  out += "\n" + rows + row("all", all) + "\n";
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
  for (const auto& [name, c] : report.config_types) {
    Json& counts = json["config_types"][name] = {{"frames", c.frames}, {"atoms", c.atoms}};
    for (const TargetInfo& target : targets()) counts[target.sources.front().plural] = c.with[target.property];
  }
  json["keys"] = keys_json(report.targets);
  json["plan"] = report.plan ? plan_json(*report.plan, options) : Json(nullptr);
  return json;
}

}  // namespace gapkit::apps
