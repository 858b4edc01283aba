#include <fmt/format.h>

#include <gapkit/config/term.hpp>

namespace gapkit {
namespace {

using EntryKind = TomlValue::Kind;

/// A list of texts as the lines of one.
std::string lines_of(const Section& section, const TomlEntry& entry) {
  std::string lines;
  for (const TomlValue& item : entry.value.items) {
    if (item.kind != EntryKind::text || item.text.find('\n') != std::string::npos)
      section.fail(item.line, fmt::format("'{}' contains {}, expected texts of one line", entry.key, item.description()));
    lines += (lines.empty() ? "" : "\n") + item.text;
  }
  return lines;
}

/// The value of a parameter; absent for types that parameters do not have.
ParameterValue parameter_value(const Section& section, const TomlEntry& entry, const ParameterInfo& info) {
  const TomlValue& value = entry.value;
  switch (value.kind) {
    case EntryKind::boolean:
      return value.boolean;
    case EntryKind::integer:
      return value.integer;
    case EntryKind::real:
      return value.real;
    case EntryKind::text:
      return value.text;
    case EntryKind::list: {
      if (info.type == ParameterInfo::Type::text) return lines_of(section, entry);
      std::vector<double> numbers;
      for (const TomlValue& item : value.items) {
        if (item.kind != EntryKind::integer && item.kind != EntryKind::real)
          section.fail(item.line, fmt::format("'{}' contains {}, expected numbers", entry.key, item.description()));
        numbers.push_back(item.kind == EntryKind::integer ? static_cast<double>(item.integer) : item.real);
      }
      return numbers;
    }
    default:
      section.wrong(entry, info.unit.empty() ? "a value" : fmt::format("a value in {}", info.unit));
  }
}

}  // namespace

Parameters read_parameters(const Section& section, const std::vector<ParameterInfo>& infos) {
  Parameters given;
  for (const ParameterInfo& info : infos) {
    const TomlEntry* entry = section.find(info.name);
    if (!entry) continue;
    given.set(info.name, parameter_value(section, *entry, info));
    // Alone, so that errors name the line of this parameter.
    complete_parameters({{info.name, given.values().at(info.name)}}, {&info, 1}, section.where(entry->line));
  }
  return complete_parameters(given, infos, section.where(section.line()));
}

}  // namespace gapkit
