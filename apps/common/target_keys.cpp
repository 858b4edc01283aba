#include "target_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/look_alikes.hpp>

namespace gapkit::apps {
bool NamedTargets::any() const {
  return std::any_of(names.begin(), names.end(), [](const auto& entry) { return !entry.second.empty(); });
}

void NamedTargets::apply_to(TargetKeys& keys) const {
  for (const TargetInfo& target : targets()) {
    const auto name_of = [&](const TargetSource& source) {
      const auto found = names.find(source.name);
      return found == names.end() ? std::string() : found->second;
    };
    const bool is_named =
        std::any_of(target.sources.begin(), target.sources.end(), [&](const TargetSource& s) { return !name_of(s).empty(); });
    if (!is_named) continue;
    for (const TargetSource& source : target.sources) keys.name(source.name, name_of(source));  // the named one of virial and stress
  }
}

void NamedTargets::check_found(const TargetReport& report) const {
  for (const TargetSource& source : target_sources()) {
    const auto found = names.find(source.name);
    if (found != names.end() && !found->second.empty() && report.keys_of(source.name).empty())
      throw InputError(fmt::format("--{}-key names '{}', but no frame of {} has this {}", source.name, found->second, report.frames,
                                   source.is_column ? "column" : "key"));
  }
}

ReferenceTargets::ReferenceTargets(const TargetKeys& keys) : keys_(keys), look_alikes_(std::make_unique<LookAlikes>(keys)) {}

ReferenceTargets::~ReferenceTargets() = default;

void ReferenceTargets::assign(Structure& frame) {
  assign_targets(frame, keys_, &report_);
  look_alikes_->add(frame);
}

std::vector<std::string> ReferenceTargets::lines() const {
  std::vector<std::string> lines = report_.same_value_lines();
  if (report_.targets_left_out > 0)
    lines.push_back(
        fmt::format("not compared: {}; the model was not fitted to this target{}", report_.first_left_out,
                    report_.targets_left_out > 1 ? fmt::format(" (and {} more of this kind)", report_.targets_left_out - 1) : ""));
  for (const TargetInfo& target : targets())
    if (look_alikes_->could_be_named(target.property))
      lines.push_back("not compared: " + look_alikes_->lost_sentence({target.property}, LookAlikes::Reader::prediction));
  return lines;
}

void add_target_key_options(CLI::App& app, NamedTargets& named) {
  for (const TargetSource& source : target_sources()) {
    const bool is_first = &source == &target_sources().front();
    app.add_option(fmt::format("--{}-key", source.name), named.names[source.name],
                   fmt::format("{} of the {} ({}){}", source.is_column ? "Column" : "Key", source.name, source.unit,
                               is_first ? " in the data (default: found among the usual names)" : ""))
        ->type_name("NAME");
  }
}

}  // namespace gapkit::apps
