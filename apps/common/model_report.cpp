#include "model_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/noise.hpp>
#include <gapkit/model/relative_novelty.hpp>
#include <gapkit/model/tensor_model.hpp>
#include <nlohmann/json.hpp>

#include "error_bar_notes.hpp"
#include "target_words.hpp"
#include "term_report.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

Json groups_json(const Model& model) {
  Json groups = Json::array();
  for (const RowGroup& group : model.posterior.groups) {
    const double given = group.fixed ? own_noise(model.posterior.noise, group.property) : 0;
    groups.push_back({{"property", property_name(group.property)},
                      {"class", group.config_class},
                      {"fixed", group.fixed},
                      {"sigma", group.fixed ? Json(nullptr) : Json(group.sigma)},
                      {"given_sigma", given > 0 ? Json(given) : Json(nullptr)}});
  }
  return groups;
}

const char* part_name(EpistemicPart part) {
  return part == EpistemicPart::data ? "data" : part == EpistemicPart::jackknife ? "jackknife" : "cautious";
}

Json baseline_json(const Potential& potential) {
  Json json = {{"kind", potential.name()}, {"cutoff", potential.cutoff()}, {"long_range", potential.needs_structure()}};
  if (potential.needs_structure()) json["parameters"] = Json::parse(parameters_to_json(potential.parameters()));
  return json;
}

std::string baseline_text(const Json& potential) {
  const std::string kind = potential["kind"].get<std::string>();
  if (!potential["long_range"].get<bool>()) return fmt::format("{:<20}{}, {} Å\n", "baseline", kind, potential["cutoff"].get<double>());
  std::string text;
  for (const auto& [name, value] : potential["parameters"].items())
    if (const std::string shown = value.is_string() ? value.get<std::string>() : value.dump(); !shown.empty())
      text += fmt::format(", {} {}", name, shown);
  return fmt::format("{:<20}{}{}\n", "long range", kind, text);
}

}  // namespace

Json calibration_json(const std::optional<Calibration>& calibration) {
  if (!calibration) return nullptr;
  Json factors = Json::array();
  for (const CalibrationFactors& f : calibration->factors) {
    Json entry = {{"property", property_name(f.property)},
                  {"class", f.config_class},
                  {"a", f.a},
                  {"b", f.b},
                  {"rows", f.rows},
                  {"structures", f.structures}};
    if (f.part != EpistemicPart::all) entry["part"] = part_name(f.part);
    if (f.part == EpistemicPart::cautious)
      entry["powers"] = {{"data", f.powers.data}, {"jackknife", f.powers.jackknife}, {"total", f.powers.total}};
    if (f.element != 0) entry["element"] = element_symbol(f.element);
    if (f.points != 0) entry["points"] = f.points;
    if (f.quality)
      entry["quality"] = {{"zms", f.quality->zms}, {"coverage68", f.quality->coverage68}, {"coverage95", f.quality->coverage95}};
    factors.push_back(entry);
  }
  Json extrapolation = Json::array();
  for (const ExtrapolationThreshold& t : calibration->extrapolation)
    extrapolation.push_back({{"element", element_symbol(t.element)},
                             {"novelty", t.novelty},
                             {"std", t.std < no_threshold ? Json(t.std) : Json(nullptr)},
                             {"full_novelty", t.full_novelty < no_threshold ? Json(t.full_novelty) : Json(nullptr)},
                             {"atoms", t.atoms}});
  return {{"source", calibration->source},
          {"factors", factors},
          {"extrapolation", extrapolation},
          {"uncalibrated", uncalibrated_properties(*calibration)}};
}

std::string calibration_line(const std::optional<Calibration>& calibration) {
  if (!calibration) return "Error bars: uncalibrated ([calibration] chooses how they are calibrated)\n";
  std::string text;
  std::int64_t structures = 0;
  for (const CalibrationFactors& f : calibration->factors) {
    if (f.config_class != "default" || f.element != 0 || f.points != 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", property_name(f.property),
                        f.part == EpistemicPart::cautious ? "cautious" : fmt::format("a {:.3g} b {:.3g}", f.a, f.b));
    if (f.quality)
      text += fmt::format(", mean z² {:.2f}, {:.0f} and {:.0f} % within 1 and 1.96 std", f.quality->zms, 100 * f.quality->coverage68,
                          100 * f.quality->coverage95);
    structures = std::max(structures, f.structures);
  }
  if (const std::string names = uncalibrated_properties(*calibration); !names.empty()) text += "; uncalibrated: " + names;
  return fmt::format("Error bars: calibrated on {} structures ({}): {}\n", structures, calibration_source_text(*calibration), text);
}

namespace {

std::string extrapolation_text(const Json& thresholds) {
  if (thresholds.empty()) return "extrapolation grades: none\n";
  std::string text = fmt::format("{:<24}{:>12}{:>12}{:>10}\n", "extrapolation", "novelty", "std (eV)", "atoms");
  for (const Json& t : thresholds)
    text += fmt::format("{:<24}{:>12.4g}{:>12}{:>10}\n", t["element"].get<std::string>(), t["novelty"].get<double>(),
                        t["std"].is_null() ? "-" : fmt::format("{:.4g}", t["std"].get<double>()), t["atoms"].get<std::int64_t>());
  return text + "a grade is an atom's novelty or local std over these, whichever is larger; 1 is the border of the familiar\n";
}

std::string calibration_text(const Json& calibration) {
  if (calibration.is_null()) return "error bars are uncalibrated: std² = epistemic² + sigma²\n\n";
  std::string text = fmt::format("{:<12}{:<32}{:<12}{:>10}{:>10}{:>10}{:>12}{:>9}{:>8}{:>8}\n", "error bars", "config types", "variance",
                                 "a", "b", "rows", "structures", "mean z²", "68 %", "95 %");
  for (const Json& f : calibration["factors"]) {
    std::string name = f["class"] == "default" ? "all others" : f["class"].get<std::string>();
    if (f.contains("element")) name += ", " + f["element"].get<std::string>();
    if (f.contains("points")) name += fmt::format(", {} points", f["points"].get<std::int64_t>());
    text += fmt::format("{:<12}{:<32}{:<12}{:>10.3g}{:>10.3g}{:>10}{:>12}", f["property"].get<std::string>(), name,
                        f.contains("part") ? f["part"].get<std::string>() : "all", f["a"].get<double>(), f["b"].get<double>(),
                        f["rows"].get<std::int64_t>(), f["structures"].get<std::int64_t>());
    if (f.contains("quality"))
      text += fmt::format("{:>8.2f}{:>8.0f}{:>8.0f}", f["quality"]["zms"].get<double>(), 100 * f["quality"]["coverage68"].get<double>(),
                          100 * f["quality"]["coverage95"].get<double>());
    text += "\n";
  }
  if (const std::string names = calibration["uncalibrated"]; !names.empty()) text += fmt::format("uncalibrated (a = b = 1): {}\n", names);
  return text + fmt::format("std² = a² variance + b² sigma², from left-out structures ({})\n", calibration["source"].get<std::string>()) +
         extrapolation_text(calibration["extrapolation"]) + "\n";
}

/// Six pairs of elements in a line, and an empty line.
std::string distances_text(const Json& distances) {
  if (distances.is_null()) return "unknown\n";
  std::string text;
  std::size_t count = 0;
  for (const auto& [elements, distance] : distances.items()) {
    const char* before = count == 0 ? "" : count % 6 == 0 ? ",\n                    " : ", ";
    text += fmt::format("{}{} {:.3f}", before, elements, distance.get<double>());
    ++count;
  }
  return count > 0 ? text + " Å in the training data\n" : "no atoms of the training data within the cutoff of the terms\n";
}

/// Errors of one property in an error table: "4.1 (MAE 3.2)"; "-" without errors.
std::string error_text(const Json& table, const char* property) {
  const Json& errors = table["all"][property];
  if (errors["rmse"].is_null()) return "-";
  return fmt::format("{:.4g} (MAE {:.4g})", errors["rmse"].get<double>(), errors["mae"].get<double>());
}

std::string errors_text(const Json& model) {
  std::string text;
  for (const char* name : {"training_errors", "validation_errors"}) {
    const Json& table = model[name];
    if (table.is_null()) continue;
    text += fmt::format("{:<20}RMSE of {} frames:", name == std::string("training_errors") ? "training errors" : "validation errors",
                        table["all"]["frames"].get<int>());
    const char* before = " ";
    for (const TargetInfo& target : targets()) {
      if (!table["all"].contains(target.shown.name)) continue;  // the model is older than the target
      text += fmt::format("{}{} {} {}", before, target.shown.name, error_text(table, target.shown.name), target.shown.error_unit);
      before = ", ";
    }
    text += "\n";
  }
  return text;
}

}  // namespace

namespace {

Json property_json(const FittedProperty& property) {
  const PropertyKeys& keys = property.keys;
  Json json = model_json(*property.field);
  json["means"] = json["reference_energies"];
  json.erase("reference_energies");
  json.erase("properties");
  json.erase("tensors");
  Json result = {{"name", keys.name}, {"unit", keys.unit}, {"column", keys.column}, {"total", keys.total}, {"dipole", keys.dipole}};
  result["equilibration"] = nullptr;
  if (property.equilibration)
    for (const auto& [z, width] : property.equilibration->widths)
      result["equilibration"][element_symbol(z)] = {{"width", width}, {"hardness", property.equilibration->hardness.at(z)}};
  result["fit"] = json;
  return result;
}

std::string property_text(const Json& property) {
  const Json& fit = property["fit"];
  const std::string unit = property["unit"];
  std::string text = fmt::format("{:<20}{}{}, {} sparse points, cutoff {} Å", "property", property["name"].get<std::string>(),
                                 unit.empty() ? "" : " (" + unit + ")", fit["sparse_points"].get<int>(), fit["cutoff"].get<double>());
  for (const char* target : {"column", "total", "dipole"})
    if (const std::string name = property[target]; !name.empty()) text += fmt::format(", {} '{}'", target, name);
  if (!property["equilibration"].is_null()) {
    text += fmt::format("\n{:<20}equilibrated charges:", "");
    for (const auto& [element, values] : property["equilibration"].items())
      text += fmt::format(" {} width {:.4g} Å, hardness {:.4g} eV/e²;", element, values["width"].get<double>(),
                          values["hardness"].get<double>());
    text += " electronegativities (eV/e):";
  }
  text += fmt::format("\n{:<20}means:", "");
  for (const auto& [element, mean] : fit["means"].items()) text += fmt::format(" {} {:.6g}", element, mean.get<double>());
  for (const Json& group : fit["groups"])
    if (!group["sigma"].is_null())
      text += fmt::format("; sigma of {} {:.4g}", group["property"].get<std::string>(), group["sigma"].get<double>());
  return text + "\n";
}

Json tensor_json(const FittedTensor& tensor) {
  const TensorKeys& keys = tensor.keys;
  Json json = {{"name", keys.name}, {"key", keys.key}, {"kind", keys.kind}, {"target", keys.target}, {"units", keys.units}};
  json["origin"] = keys.origin.empty() ? Json(nullptr) : Json(keys.origin);
  json["derivatives"] = keys.derivatives.empty() ? Json(nullptr) : Json(keys.derivatives);
  json["charges"] = keys.charges.empty() ? Json(nullptr) : Json(keys.charges);
  json["cutoff"] = tensor.cutoff();
  json["terms"] = Json::array();
  for (const TensorTerm& term : tensor.terms)
    json["terms"].push_back({{"name", term.name},
                             {"element", element_symbol(term.element)},
                             {"zeta", term.zeta},
                             {"environments", term.points.rows()},
                             {"descriptor", Json::parse(parameters_to_json(term.descriptor->parameters()))}});
  json["parts"] = Json::array();
  for (const TensorPart& part : tensor.parts) {
    Json entry = {{"lambda", part.lambda}, {"columns", part.weights.size()}, {"delta", part.delta}};
    entry["sigma"] = part.sigma() > 0 ? Json(part.sigma()) : Json(nullptr);
    entry["derivatives_sigma"] = part.derivatives_sigma() > 0 ? Json(part.derivatives_sigma()) : Json(nullptr);
    entry["scale"] = part.left_out > 0 ? Json(part.scale) : Json(nullptr);
    entry["noise_scale"] = part.left_out > 0 ? Json(part.noise_scale) : Json(nullptr);
    entry["left_out"] = part.left_out;
    entry["means"] = Json::object();
    for (const auto& [z, mean] : part.means) entry["means"][element_symbol(z)] = mean;
    json["parts"].push_back(entry);
  }
  return json;
}

std::string tensor_text(const Json& tensor) {
  const std::string units = tensor["units"];
  std::int64_t environments = 0;
  for (const Json& term : tensor["terms"]) environments += term["environments"].get<std::int64_t>();
  std::string text = fmt::format("{:<20}{}{}: {}, {}; {} environments, cutoff {} Å", "tensor", tensor["name"].get<std::string>(),
                                 units.empty() ? "" : " (" + units + ")", tensor["kind"].get<std::string>(),
                                 tensor["target"] == "atom" ? "of each atom" : tensor["target"].get<std::string>() + " over the atoms",
                                 environments, tensor["cutoff"].get<double>());
  for (const char* key : {"derivatives", "charges", "origin"})
    if (!tensor[key].is_null()) text += fmt::format("; {} '{}'", key, tensor[key].get<std::string>());
  for (const Json& part : tensor["parts"]) {
    text += fmt::format("\n{:<20}lambda {}: {} columns", "", part["lambda"].get<int>(), part["columns"].get<std::int64_t>());
    if (!part["sigma"].is_null()) text += fmt::format(", sigma {:.4g}", part["sigma"].get<double>());
    if (!part["derivatives_sigma"].is_null()) text += fmt::format(", of derivatives {:.4g}", part["derivatives_sigma"].get<double>());
    text += part["scale"].is_null()
                ? ", uncalibrated"
                : fmt::format(", error bars times {:.3g}, their noise {:.3g} ({} left-out structures)", part["scale"].get<double>(),
                              part["noise_scale"].get<double>(), part["left_out"].get<std::int64_t>());
  }
  return text + "\n";
}

}  // namespace

Json model_json(const Model& model) {
  Json json;
  json["gapkit_version"] = model.gapkit_version;
  json["has_posterior"] = model.has_posterior();
  const auto note = [&](const char* name) -> const std::string* {
    const auto found = model.notes.find(name);
    return found == model.notes.end() ? nullptr : &found->second;
  };
  json["origin"] = note("origin") ? Json(*note("origin")) : Json("gap-fit");
  json["sample"] = note("sample") ? Json::parse(*note("sample")) : Json(nullptr);
  json["reference_energies"] = Json::object();
  for (const auto& [z, e0] : model.reference_energies) json["reference_energies"][element_symbol(z)] = e0;
  json["cutoff"] = model.cutoff();
  json["sparse_points"] = model.weights.size();
  json["short_range_of"] = note("short_range_of") ? Json(*note("short_range_of")) : Json(nullptr);
  json["baselines"] = Json::array();
  for (const PotentialPointer& b : model.baselines) json["baselines"].push_back(baseline_json(*b));
  json["base"] = nullptr;
  if (model.base.is_used()) json["base"] = {{"name", model.base.name}, {"columns", model.base.columns}};
  json["properties"] = Json::array();
  for (const FittedProperty& property : model.properties) json["properties"].push_back(property_json(property));
  json["tensors"] = Json::array();
  for (const auto& tensor : model.tensors) json["tensors"].push_back(tensor_json(*tensor));
  json["terms"] = Json::array();
  for (std::size_t t = 0; t < model.terms.size(); ++t) json["terms"].push_back(term_json(model, t));
  json["groups"] = groups_json(model);
  json["calibration"] = calibration_json(model.calibration);
  json["shortest_distances"] = model.shortest_distances ? Json::object() : Json(nullptr);
  if (model.shortest_distances)
    for (const auto& [pair, distance] : *model.shortest_distances)
      json["shortest_distances"][combination_name({pair.first, pair.second})] = distance;
  json["scale_with_atoms"] = model.scale_with_atoms;
  json["log_evidence"] = model.has_posterior() ? Json(model.posterior.log_evidence) : Json(nullptr);
  json["seed"] = model.seed;
  json["data_fingerprint"] = model.data_fingerprint;
  for (const char* name : {"training_errors", "validation_errors"}) json[name] = note(name) ? Json::parse(*note(name)) : Json(nullptr);
  json["configuration"] = model.configuration;
  if (const std::string* command = note("gap_fit_command_line")) json["gap_fit_command_line"] = *command;
  return json;
}

std::string model_text(const Json& model) {
  const bool has_posterior = model["has_posterior"].get<bool>();
  const std::string written_by = model["gapkit_version"].get<std::string>();
  std::string text = written_by.empty() ? fmt::format("{:<20}{}\n", "read from", "GAP XML, the format of QUIP")
                                        : fmt::format("{:<20}{}\n", "written by gapkit", written_by);
  text += fmt::format("{:<20}{}\n", "origin", model["origin"].get<std::string>());
  const std::string bars = has_posterior               ? "yes"
                           : model["sample"].is_null() ? "no posterior (imported): only QUIP's variance of local energies"
                                                       : fmt::format("none: member {} of the ensemble of seed {}",
                                                                     model["sample"]["member"].dump(), model["sample"]["seed"].dump());
  text += fmt::format("{:<20}{}\n", "error bars", bars);
  for (const Json& b : model["baselines"]) text += baseline_text(b);
  if (!model["short_range_of"].is_null())
    text += fmt::format("{:<20}another program adds {}\n", "short range alone", model["short_range_of"].get<std::string>());
  if (!model["base"].is_null()) {
    const BaseKeys base{.columns = model["base"]["columns"].get<decltype(BaseKeys::columns)>(), .name = model["base"]["name"]};
    text += fmt::format("{:<20}{}; predictions need its values\n", "sits on", base.text());
  }
  std::string energies;
  for (const auto& [element, e0] : model["reference_energies"].items())
    energies += fmt::format("{}{} {:.6f}", energies.empty() ? "" : ", ", element, e0.get<double>());
  text += fmt::format("{:<20}{} eV\n{:<20}{} Å\n", "reference energies", energies, "cutoff", model["cutoff"].get<double>());
  text += fmt::format("{:<20}{}\n", "shortest distances", distances_text(model["shortest_distances"]));
  text += terms_text(model["terms"]);
  text += "\n";
  for (const Json& property : model["properties"]) text += property_text(property);
  for (const Json& tensor : model["tensors"]) text += tensor_text(tensor);
  if (!model["properties"].empty() || !model["tensors"].empty()) text += "\n";
  if (!model["groups"].empty()) {
    std::string units;
    for (const UnitGroup& group : unit_groups()) units += fmt::format("{}{}: {}", units.empty() ? "" : "; ", group.names(", "), group.unit);
    text += fmt::format("{:<12}{:<24}sigma ({})\n", "sigma of", "config types", units);
    for (const Json& group : model["groups"])
      text += fmt::format("{:<12}{:<24}{}\n", group["property"].get<std::string>(), group["class"].get<std::string>(),
                          !group["sigma"].is_null() ? fmt::format("{:.6g}", group["sigma"].get<double>())
                          : group["given_sigma"].is_null()
                              ? "given with the data"
                              : fmt::format("given with the data, root mean square {:.6g}", group["given_sigma"].get<double>()));
    text += fmt::format("{} {} the square root of the number of atoms\n\n", names_that_scale(),
                        model["scale_with_atoms"].get<bool>() ? "times" : "not times");
  }
  if (has_posterior) text += calibration_text(model["calibration"]);
  text += errors_text(model);
  if (has_posterior)
    text += fmt::format("{:<20}{:.6g}\n{:<20}{}\n", "log evidence", model["log_evidence"].get<double>(), "seed",
                        model["seed"].get<std::uint64_t>());
  if (model.contains("gap_fit_command_line"))
    text += fmt::format("{:<20}{}\n", "gap_fit", model["gap_fit_command_line"].get<std::string>());
  return text;
}

}  // namespace gapkit::apps
