// Findings after the last frame.

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>

#include "fit/data_checker.hpp"
#include "fit/sigma_names.hpp"

namespace gapkit {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
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
  const bool has_base = options_.keys.base.is_used();  // then they are not those of the labels
  labels_.finish(findings_, report_.targets, has_base ? std::map<int, double>() : reference_energies);
  if (has_base) base_.finish(findings_, options_.keys.base, reference_energies);
}

void DataChecker::report_named_keys() {
  const TargetReport& t = report_.targets;
  const std::vector<std::string> fields(field_names_.begin(), field_names_.end()), columns(column_names_.begin(), column_names_.end());
  const auto check = [&](const TargetSource& source) {
    const std::string& named = options_.keys.named(source.name);
    if (!t.keys_of(source.name).empty() || named.empty()) return;
    const auto& names = source.is_column ? columns : fields;
    const char* what = source.is_column ? "column" : "key";
    findings_.error("keys", fmt::format("[data] {}_key names '{}', but no frame of {} has this {}; {}", source.name, named, t.frames, what,
                                        names.empty() ? fmt::format("the frames have no {}s except species and positions", what)
                                                      : fmt::format("there are {}", joined(names))));
    has_lost_targets_ = true;
  };
  for (const TargetInfo& target : targets())
    if (options_.use[target.property]) std::for_each(target.sources.begin(), target.sources.end(), check);
  report_base_keys();
  if (options_.keys.force_mask != TargetKeys().force_mask && !has_mask_)
    findings_.error(
        "keys", fmt::format("[data] force_mask_key names '{}', but no frame of {} has this column", options_.keys.force_mask, t.frames));
  if (options_.keys.config_type != TargetKeys().config_type && !field_names_.count(options_.keys.config_type))
    findings_.error("keys",
                    fmt::format("[data] config_type_key names '{}', but no frame of {} has this key", options_.keys.config_type, t.frames));
}

void DataChecker::report_base_keys() {
  const BaseKeys& base = options_.keys.base;
  for (const TargetInfo& target : targets())
    for (const TargetSource& source : target.sources) {
      const auto column = base.columns.find(source.name);
      if (column == base.columns.end()) continue;
      const bool is_label = column->second == options_.keys.named(source.name);
      const bool is_usual = std::find(source.endings.begin(), source.endings.end(), column->second) != source.endings.end();
      if (!is_label && (!is_usual || !options_.use[target.property] || report_.targets.has(target))) continue;
      findings_.error("base",
                      fmt::format("[[baseline]] {0} names '{1}'{2}; the labels need a name of their own: [data] {0}_key, or --{0}-key",
                                  source.name, column->second,
                                  is_label ? ", which [data] " + std::string(source.name) + "_key names too"
                                           : ", the usual name of labels, and the frames have no others"));
      has_lost_targets_ = true;
    }
}

void DataChecker::report_look_alikes(const LookAlikes& look_alikes, const std::string& beginning) {
  for (const TargetInfo& target : targets())
    if (options_.use[target.property] && look_alikes.is_partly_lost(target.property))
      findings_.warning("keys", beginning + look_alikes.partly_lost_sentence(target.property));
  const std::vector<Property> lost = look_alikes.lost();
  if (&look_alikes == &look_alikes_ && look_alikes.lacks_energy()) report_no_energy();
  if (lost.empty()) return;
  const bool has_any = std::any_of(targets().begin(), targets().end(),
                                   [&](const TargetInfo& target) { return options_.use[target.property] && report_.targets.has(target); });
  const bool is_of_atoms = std::any_of(lost.begin(), lost.end(), [&](Property target) { return look_alikes.has_atoms_only(target); });
  const bool is_error = &look_alikes == &look_alikes_ && (lost.front() == Property::energy || !has_any || is_of_atoms);
  if (!is_error) {
    findings_.warning("keys", beginning + look_alikes.lost_sentence(lost));
    return;
  }
  findings_.error("keys", beginning + look_alikes.lost_sentence(lost));
  has_lost_targets_ = true;
}

void DataChecker::report_no_energy() {
  const bool has_other = std::any_of(targets().begin(), targets().end(), [&](const TargetInfo& target) {
    return target.property != Property::energy && options_.use[target.property] && report_.targets.has(target);
  });
  const bool could_be_there = look_alikes_.has_unknown_scalar();
  if (!has_other && !could_be_there) return;  // the data have nothing to fit: reported elsewhere
  const bool needs_energies = options_.reference_energies.mode != ReferenceEnergyOptions::Mode::explicit_values;
  if (could_be_there || needs_energies) {
    findings_.error("keys", look_alikes_.no_energy_sentence());
    has_lost_targets_ = true;
  } else {
    findings_.warning("keys", look_alikes_.no_energy_sentence());
  }
}

void DataChecker::report_keys() {
  const TargetReport& t = report_.targets;
  if (t.frames == 0) return;
  report_named_keys();
  report_look_alikes(look_alikes_, "");
  for (const std::string& sentence : unknown_sigma_names(field_names_, column_names_)) findings_.warning("keys", sentence);
  if (t.targets_left_out > 0)
    findings_.note("keys", fmt::format("{}; as it is not fitted, it is left out{}", t.first_left_out,
                                       t.targets_left_out > 1 ? fmt::format(" (and {} more like it)", t.targets_left_out - 1) : ""));
  if (t.frames_with_unused_free_energy > 0)
    findings_.note("keys",
                   fmt::format("free_energy is in {} frames and not used: forces of many codes are its derivatives; name it with [data] "
                               "energy_key or --energy-key to use it",
                               t.frames_with_unused_free_energy));
}

void DataChecker::finish_validation() {
  report_look_alikes(validation_look_alikes_, "validation data: ");
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
