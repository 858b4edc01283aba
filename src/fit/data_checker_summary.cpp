// What can be said once all frames have been seen.

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

#include "fit/data_checker.hpp"

namespace gapkit {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::vector<std::string> names_with(const std::set<std::string>& names, std::initializer_list<const char*> parts) {
  std::vector<std::string> found;
  for (const std::string& name : names)
    for (const char* part : parts)
      if (lower(name).find(part) != std::string::npos) {
        found.push_back(name);
        break;
      }
  return found;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size() && i < 12; ++i) text += (i ? ", '" : "'") + words[i] + "'";
  return words.size() > 12 ? text + ", …" : text;
}

}  // namespace

void DataChecker::finish(const FitPlan& plan, bool complete) {
  report_keys();
  report_config_types();
  if (lonely_atoms_ > 0)
    findings_.note("isolated atoms",
                   fmt::format("{}: {} atom{} in frames of several atoms {} no neighbour within the largest cutoff; this is the first "
                               "such frame",
                               first_lonely_, lonely_atoms_, lonely_atoms_ == 1 ? "" : "s", lonely_atoms_ == 1 ? "has" : "have"));
  if (frames_of_several_ > 0 && frames_with_neighbors_ == 0)
    findings_.error(
        "cutoff",
        fmt::format("no atom of {} frames with several atoms has a neighbour within the largest cutoff; are the cutoffs, or positions "
                    "and Lattice, in Å?",
                    frames_of_several_));
  if (complete) report_terms(plan);
  using Mode = ReferenceEnergyOptions::Mode;
  std::map<int, double> reference_energies;
  if (options_.reference_energies.mode == Mode::explicit_values)
    for (const auto& [symbol, value] : options_.reference_energies.values) reference_energies[atomic_number(symbol)] = value;
  else if (complete && options_.reference_energies.mode == Mode::isolated)
    reference_energies = plan.reference_energies;
  labels_.finish(findings_, report_.targets, reference_energies);
}

void DataChecker::report_keys() {
  const TargetReport& t = report_.targets;
  if (t.frames == 0) return;
  const std::vector<std::string> fields(field_names_.begin(), field_names_.end()), columns(column_names_.begin(), column_names_.end());
  const auto check = [&](bool is_used, const char* key, const std::string& named, const std::map<std::string, long>& used, bool is_column,
                         std::initializer_list<const char*> parts) {
    if (!used.empty() || !is_used) return;
    const auto& names = is_column ? columns : fields;
    const char* what = is_column ? "column" : "key";
    if (!named.empty()) {
      findings_.error("keys", fmt::format("[data] {} names '{}', but no frame of {} has this {}; {}", key, named, t.frames, what,
                                          names.empty() ? fmt::format("the frames have no {}s beside species and positions", what)
                                                        : fmt::format("there are {}", joined(names))));
      return;
    }
    std::vector<std::string> alike = names_with(is_column ? column_names_ : field_names_, parts);
    std::erase_if(alike, [](const std::string& name) { return name.ends_with("_sigma") || name == "force_mask"; });
    if (!alike.empty())
      findings_.warning("keys",
                        fmt::format("no frame has a {} under a known name, but there {} {} {}; name it with [data] {} if it is meant",
                                    std::string(key).substr(0, std::string(key).find('_')), alike.size() == 1 ? "is the" : "are the",
                                    std::string(what) + (alike.size() == 1 ? "" : "s"), joined(alike), key));
  };
  check(options_.use_energy, "energy_key", options_.keys.energy, t.energy_keys, false, {"energ", "toten", "e_tot", "etot"});
  check(options_.use_forces, "forces_key", options_.keys.forces, t.forces_keys, true, {"forc", "grad"});
  const bool no_virial = t.virial_keys.empty() && t.stress_keys.empty();
  check(options_.use_virial, "virial_key", options_.keys.virial, t.virial_keys, false,
        no_virial ? std::initializer_list<const char*>{"virial"} : std::initializer_list<const char*>{});
  check(options_.use_virial, "stress_key", options_.keys.stress, t.stress_keys, false,
        no_virial ? std::initializer_list<const char*>{"stress"} : std::initializer_list<const char*>{});
  if (options_.keys.force_mask != TargetKeys().force_mask && !has_mask_)
    findings_.error(
        "keys", fmt::format("[data] force_mask_key names '{}', but no frame of {} has this column", options_.keys.force_mask, t.frames));
  if (options_.keys.config_type != TargetKeys().config_type && !field_names_.count(options_.keys.config_type))
    findings_.error("keys",
                    fmt::format("[data] config_type_key names '{}', but no frame of {} has this key", options_.keys.config_type, t.frames));
  if (t.frames_with_unused_free_energy > 0)
    findings_.note("keys",
                   fmt::format("free_energy is in {} frames and not used: forces of many codes are its derivatives; name it with [data] "
                               "energy_key to use it",
                               t.frames_with_unused_free_energy));
}

void DataChecker::report_config_types() {
  std::vector<std::string> names;
  for (const auto& [name, counts] : report_.config_types) names.push_back(name);
  if (names.empty()) return;
  const auto check = [&](const std::string& name, const std::string& where) {
    if (!report_.config_types.count(name))
      findings_.warning("config types",
                        fmt::format("{} names the config type '{}', which no training frame has{}", where, name, suggestion(name, names)));
  };
  for (const auto& [name, sigma] : options_.regularization.config_type) check(name, "[regularization.config_type]");
  for (const std::string& name : options_.optimize.classes) check(name, "[optimize] classes");
  std::map<std::string, std::string> by_lower;
  for (const std::string& name : names)
    if (const auto [other, is_new] = by_lower.emplace(lower(name), name); !is_new)
      findings_.warning("config types", fmt::format("the config types '{}' and '{}' differ in upper and lower case only; are they one?",
                                                    other->second, name));
}

void DataChecker::report_terms(const FitPlan& plan) {
  for (const auto& term : plan.terms)
    if (term.asked > term.candidates)
      findings_.warning("n_sparse", fmt::format("term '{}': n_sparse is {}, but there are only {} environments; all are taken", term.label,
                                                term.asked, term.candidates));
}

}  // namespace gapkit
