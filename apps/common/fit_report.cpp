#include "fit_report.hpp"

#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/report/optimization_json.hpp>
#include <nlohmann/json.hpp>

#include "error_bar_notes.hpp"
#include "long_range_report.hpp"
#include "model_report.hpp"
#include "optimization_report.hpp"
#include "resources.hpp"
#include "threads.hpp"
#include "timing.hpp"
#include "words.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

constexpr double bytes_per_gb = 1e9;

std::string group_name(const RowGroup& group) {
  return fmt::format("{} {}{}", property_name(group.property), group.config_class, group.fixed ? " (own)" : "");
}

Json group_json(const RowGroup& group) {
  Json json = {{"property", property_name(group.property)}, {"class", group.config_class}, {"fixed", group.fixed}};
  json["sigma"] = group.fixed ? Json(nullptr) : Json(group.sigma);
  return json;
}

Json reference_energies_json(const std::map<int, double>& energies) {
  Json json = Json::object();
  for (const auto& [element, energy] : energies) json[element_symbol(element)] = energy;
  return json;
}

Json property_json(const PropertyReport& property) {
  Json json = {{"name", property.name},     {"frames", property.frames},   {"values", property.values},
               {"totals", property.totals}, {"dipoles", property.dipoles}, {"means", reference_energies_json(property.means)}};
  json["terms"] = Json::array();
  for (const TermReport& term : property.terms)
    json["terms"].push_back({{"label", term.label}, {"environments", term.candidates}, {"sparse_points", term.chosen}});
  json["optimization"] = property.optimization ? optimization_json(*property.optimization) : Json(nullptr);
  json["seconds"] = property.seconds;
  return json;
}

/// A mean square is null where nothing was left out.
Json tensor_json(const TensorReport& tensor) {
  const bool has_left_out = tensor.left_out > 0;
  return {{"name", tensor.name},
          {"lambda", tensor.lambda},
          {"frames", tensor.frames},
          {"rows", tensor.rows},
          {"columns", tensor.columns},
          {"sigma", tensor.sigma},
          {"derivative_frames", tensor.derivative_frames},
          {"derivative_rows", tensor.derivative_rows},
          {"derivatives_sigma", tensor.derivatives_sigma},
          {"delta", tensor.delta},
          {"log_evidence", tensor.log_evidence},
          {"left_out", tensor.left_out},
          {"left_out_error", has_left_out ? Json(tensor.error) : Json(nullptr)},
          {"left_out_mahalanobis", has_left_out ? Json(tensor.mahalanobis) : Json(nullptr)},
          {"spread", tensor.spread},
          {"left_out_derivative_error", tensor.derivative_error > 0 ? Json(tensor.derivative_error) : Json(nullptr)},
          {"derivative_spread", tensor.derivative_spread},
          {"seconds", tensor.seconds}};
}

// NaN where labels do not vary.
Json number_json(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

std::string lacking_part(const Model& model) {
  return learned_part_note(model, {.energy_std = true, .force_std = true});
}

}  // namespace

std::string warnings_text(const std::vector<std::string>& warnings) {
  std::string text;
  if (!warnings.empty()) text += fmt::format("{}:\n", plural(static_cast<std::int64_t>(warnings.size()), "warning"));
  for (const std::string& warning : warnings) text += "  " + warning + "\n";
  return text;
}

Json finding_json(const CheckFinding& finding) {
  return {{"severity", severity_name(finding.severity)}, {"kind", finding.kind}, {"message", finding.message}};
}

std::string plan_text(const FitPlan& plan, const FitConfiguration& options) {
  std::string out = fmt::format("Data: {}, {}, {} neighbour pairs\n", plural(plan.frames, "frame"), plural(plan.atoms, "atom"), plan.pairs);
  for (const auto& [name, frames] : plan.config_types) out += fmt::format("  {:<24}{:>8} frames\n", name, frames);
  out += "Reference energies (eV per atom):";
  for (const auto& [element, energy] : plan.reference_energies) out += fmt::format(" {} {:.6f}", element_symbol(element), energy);
  out += fmt::format("\n\n{:<24}{:>10}{:>14}{:>14}\n", "term", "features", "environments", "sparse points");
  for (const auto& term : plan.terms)
    out += fmt::format("{:<24}{:>10}{:>14}{:>14}\n", term.label,
                       term.rank < term.features ? fmt::format("{} of {}", term.rank, term.features) : std::to_string(term.features),
                       term.candidates, term.sparse_points);
  out += fmt::format("{:<24}{:>38}\n\n", "all", plan.sparse_points());
  std::string units;
  for (const TargetInfo& target : targets()) units += (units.empty() ? "" : ", ") + std::string(target.unit);
  out += fmt::format("{:<24}{:>10}  sigma ({})\n", "rows", "count", units);
  for (const auto& group : plan.groups)
    out += fmt::format("{:<24}{:>10}  {}\n", group_name(group.group), group.rows,
                       group.group.fixed ? std::string("given in the data") : fmt::format("{:g}", group.group.sigma));
  out += fmt::format("{:<24}{:>10}\n\n", "all", plan.rows());
  out += fmt::format("Statistics: {} times {} sparse points squared / 2, {:.3f} GB\n", plural(plan.gram_groups, "group"),
                     plan.sparse_points(), plan.gram_bytes / bytes_per_gb);
  out +=
      fmt::format("Estimated: {:.2f} GB of memory (limit {:g} GB), {:.3g} TFLOP, {}\n",
                  plan.peak_bytes(options.memory * bytes_per_gb) / bytes_per_gb, options.memory, plan.flop * 1e-12, duration(plan.seconds));
  return out;
}

Json plan_json(const FitPlan& plan, const FitConfiguration& options) {
  Json json;
  json["data"] = {{"files", options.train}, {"frames", plan.frames}, {"atoms", plan.atoms}, {"pairs", plan.pairs}};
  json["data"]["config_types"] = plan.config_types;
  json["reference_energies"] = reference_energies_json(plan.reference_energies);
  json["terms"] = Json::array();
  for (const auto& term : plan.terms)
    json["terms"].push_back({{"label", term.label},
                             {"features", term.features},
                             {"rank", term.rank},
                             {"environments", term.candidates},
                             {"sparse_points", term.sparse_points}});
  json["groups"] = Json::array();
  for (const auto& group : plan.groups) {
    Json entry = group_json(group.group);
    entry["rows"] = group.rows;
    json["groups"].push_back(entry);
  }
  json["rows"] = plan.rows();
  json["sparse_points"] = plan.sparse_points();
  json["estimate"] = {{"flop", plan.flop},
                      {"statistics_gb", plan.gram_bytes / bytes_per_gb},
                      {"memory_gb", plan.peak_bytes(options.memory * bytes_per_gb) / bytes_per_gb},
                      {"seconds", plan.seconds}};
  return json;
}

std::string summary_text(const FitSummary& s) {
  std::string out = fmt::format("Training errors ({})\n{}\n", plural(s.training.total().frames, "frame"), s.training.text());
  if (!s.validation.empty())
    out += fmt::format("Validation errors ({})\n{}\n", plural(s.validation.total().frames, "frame"), s.validation.text());
  if (!s.training_properties.empty()) out += "Training errors of properties\n" + s.training_properties.text() + "\n";
  if (!s.validation_properties.empty()) out += "Validation errors of properties\n" + s.validation_properties.text() + "\n";
  if (!s.training_tensors.empty()) out += "Training errors of tensors\n" + s.training_tensors.text() + "\n";
  if (!s.validation_tensors.empty()) out += "Validation errors of tensors\n" + s.validation_tensors.text() + "\n";
  if (s.report.optimization) out += optimization_text(*s.report.optimization) + "\n";
  std::size_t width = 24;
  for (const auto& term : s.report.terms) width = std::max(width, term.label.size() + 1);
  out += fmt::format("{:<{}}{:>14}{:>12}{:>16}{:>14}\n", "term", width, "environments", "duplicates", "sparse points", "rank of K_MM");
  for (const auto& term : s.report.terms)
    out += fmt::format("{:<{}}{:>14}{:>12}{:>16}{:>14}\n", term.label, width, term.candidates, term.duplicates,
                       term.chosen == term.asked ? fmt::format("{}", term.chosen) : fmt::format("{} of {}", term.chosen, term.asked),
                       term.effective_rank);
  out += "\n";
  if (s.report.charge_scale) out += charge_scale_text(*s.report.charge_scale);
  if (s.long_range) out += long_range_text(*s.long_range);
  out += calibration_line(s.model.calibration);
  if (const std::string lack = lacking_part(s.model); !lack.empty()) out += "Error bars: " + lack + "\n";
  out += warnings_text(s.warnings);
  out += fmt::format("Time: {}", duration(s.seconds));
  std::string phases;
  for (const auto& [phase, time] : s.report.phases)
    phases += fmt::format("{}{} {}", phases.empty() ? "" : ", ", phase, duration(time.wall));
  if (!phases.empty()) out += fmt::format(" ({})", phases);
  out += fmt::format("; peak memory: {:.2f} GB\n{} ({})\nModel: {}{}\n", peak_memory_gb(), blas_description(), threads_origin(),
                     s.options.model_path,
                     s.statistics_bytes > 0 ? fmt::format(" ({:.1f} MB of statistics in it)", 1e-6 * s.statistics_bytes) : "");
  return out;
}

Json summary_json(const FitSummary& s) {
  Json json;
  json["gapkit_version"] = version;
  json["model"] = s.options.model_path;
  json["charge_scale"] = s.report.charge_scale ? charge_scale_json(*s.report.charge_scale) : Json(nullptr);
  json["long_range"] = s.long_range ? long_range_json(*s.long_range) : Json(nullptr);
  json["training"] = Json::parse(s.training.json());
  json["validation"] = s.validation.empty() ? Json(nullptr) : Json::parse(s.validation.json());
  json["training_properties"] = Json::parse(s.training_properties.json());
  json["validation_properties"] = s.validation_properties.empty() ? Json(nullptr) : Json::parse(s.validation_properties.json());
  json["properties"] = Json::array();
  for (const PropertyReport& property : s.report.properties) json["properties"].push_back(property_json(property));
  json["training_tensors"] = Json::parse(s.training_tensors.json());
  json["validation_tensors"] = s.validation_tensors.empty() ? Json(nullptr) : Json::parse(s.validation_tensors.json());
  json["tensors"] = Json::array();
  for (const TensorReport& tensor : s.report.tensors) json["tensors"].push_back(tensor_json(tensor));
  const Json plan = plan_json(s.report.plan, s.options);
  json["data"] = plan.at("data");
  json["reference_energies"] = reference_energies_json(s.model.reference_energies);
  json["terms"] = Json::array();
  for (const auto& term : s.report.terms)
    json["terms"].push_back({{"label", term.label},
                             {"environments", term.candidates},
                             {"duplicates", term.duplicates},
                             {"asked", term.asked},
                             {"sparse_points", term.chosen},
                             {"dropped", term.dropped},
                             {"effective_rank", term.effective_rank},
                             {"jitter", term.jitter}});
  json["groups"] = plan.at("groups");
  json["optimization"] = s.report.optimization ? optimization_json(*s.report.optimization) : Json(nullptr);
  json["calibration"] = calibration_json(s.model.calibration);
  json["label_agreement"] = Json::array();
  for (const LabelAgreement& a : s.report.agreement)
    json["label_agreement"].push_back({{"property", property_name(a.property)},
                                       {"config_type", a.config_type},
                                       {"rows", a.rows},
                                       {"slope", number_json(a.slope)},
                                       {"correlation", number_json(a.correlation)},
                                       {"explained_variance", number_json(a.explained)},
                                       {"error_over_sigma", number_json(a.error)}});
  json["findings"] = Json::array();
  for (const CheckFinding& finding : s.report.findings) json["findings"].push_back(finding_json(finding));
  json["warnings"] = s.warnings;
  const std::string lack = lacking_part(s.model);
  json["error_bars_lack"] = lack.empty() ? Json(nullptr) : Json(lack);
  json["statistics_mb"] = 1e-6 * s.statistics_bytes;
  json["log_evidence"] = s.report.log_evidence;
  json["seed"] = s.options.seed;
  json["threads"] = thread_count();
  json["threads_from"] = threads_origin();
  add_phases(s.report.phases, json);
  json["seconds"] = s.seconds;
  json["blas"] = blas_description();
  json["peak_memory_gb"] = peak_memory_gb();
  return json;
}

}  // namespace gapkit::apps
