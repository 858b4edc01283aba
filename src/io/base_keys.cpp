#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/targets.hpp>

namespace gapkit {
namespace {

/// The source of the target that the base gives; the target must have one.
const TargetSource& source_of(const BaseKeys& base, const TargetInfo& target) {
  const auto found = std::find_if(target.sources.begin(), target.sources.end(),
                                  [&](const TargetSource& source) { return base.columns.count(source.name) > 0; });
  return found == target.sources.end() ? target.sources.front() : *found;
}

/// "energy, forces"
std::string names_of(const TargetInfo& target) {
  std::string text;
  for (const TargetSource& source : target.sources) text += (text.empty() ? "" : " or ") + std::string(source.name);
  return text;
}

[[noreturn]] void throw_not_given(const Structure& structure, const BaseKeys& base, const TargetInfo& target) {
  const TargetSource& label = target.sources.front();
  throw InputError(
      fmt::format("{}the frame has {}, but the base {} has none to take off: name them with {} in [[baseline]], or leave {} out "
                  "with [data] use",
                  structure.place(), label.plural, base.text(), names_of(target), label.plural));
}

[[noreturn]] void throw_missing(const Structure& structure, const BaseKeys& base, const TargetInfo& target) {
  const TargetSource& source = source_of(base, target);
  const std::string& name = base.columns.at(source.name);
  std::vector<std::string> known;
  for (const Field& field : structure.fields)
    if (!source.is_column) known.push_back(field.key);
  for (const Column& column : structure.columns)
    if (source.is_column) known.push_back(column.name);
  const bool is_there = std::find(known.begin(), known.end(), name) != known.end();
  throw InputError(fmt::format("{}the frame has no {} '{}' with the {} of the base{}{}{}", structure.place(),
                               source.is_column ? "column" : "key", name, source.plural, base.name.empty() ? "" : " " + base.name,
                               is_there ? ", as it has no cell with a volume" : "", suggestion(name, known)));
}

}  // namespace

bool BaseKeys::has(const TargetInfo& target) const {
  return std::any_of(target.sources.begin(), target.sources.end(),
                     [&](const TargetSource& source) { return columns.count(source.name) > 0; });
}

bool BaseKeys::reads(std::string_view key) const {
  return std::any_of(columns.begin(), columns.end(), [&](const auto& entry) { return entry.second == key; });
}

std::string BaseKeys::text() const {
  std::string list;
  for (const TargetSource& source : target_sources())
    if (const auto found = columns.find(source.name); found != columns.end())
      list += fmt::format("{}{} '{}'", list.empty() ? "" : ", ", source.name, found->second);
  return name.empty() ? list : fmt::format("{} ({})", name, list);
}

const std::vector<double>& base_rows(const Structure& structure, const BaseKeys& base, const TargetInfo& target) {
  const std::vector<double>& rows = structure.base[target.property];
  if (rows.empty()) base.has(target) ? throw_missing(structure, base, target) : throw_not_given(structure, base, target);
  return rows;
}

void subtract_base(Structure& structure, const BaseKeys& base, const PerTarget<bool>& use) {
  if (!base.is_used()) return;
  for (const TargetInfo& target : targets()) {
    if (base.has(target) && target.can_be_fitted(structure)) base_rows(structure, base, target);  // predictions need it, labels or not
    std::vector<double> rows = target.rows(structure);
    if (rows.empty()) continue;
    if (!use[target.property] && structure.base[target.property].empty()) {
      target.set(structure, {});
      continue;
    }
    const std::vector<double>& off = base_rows(structure, base, target);
    if (off.size() != rows.size())
      throw Error(fmt::format("{}{} values of the base for {} of the {}", structure.place(), off.size(), rows.size(), target.name));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] -= off[i];
    target.set(structure, rows);
  }
}

}  // namespace gapkit
