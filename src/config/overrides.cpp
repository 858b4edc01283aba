#include "config/overrides.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>

namespace gapkit {
namespace {

using Kind = TomlValue::Kind;

std::vector<std::string> parts_of(const std::string& key) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    parts.push_back(key.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string text_in(const TomlValue& table, const char* key) {
  const TomlEntry* entry = table.find(key);
  return entry && entry->value.kind == Kind::text ? entry->value.text : "";
}

// The names of the terms, as name_terms gives them.
std::vector<std::string> names_of_terms(const TomlValue& terms) {
  std::vector<std::string> names;
  for (const TomlValue& term : terms.items) names.push_back(text_in(term, "name"));
  for (std::size_t t = 0; t < names.size(); ++t) {
    if (!names[t].empty()) continue;
    const std::string descriptor = text_in(terms.items[t], "descriptor");
    std::string name = descriptor;
    for (int number = 2; std::find(names.begin(), names.end(), name) != names.end(); ++number)
      name = fmt::format("{}_{}", descriptor, number);
    names[t] = name;
  }
  return names;
}

TomlValue value_of(const ConfigurationOverride& change) {
  try {
    const TomlValue parsed = parse_toml("value = " + change.value, change.key);
    if (parsed.entries.size() == 1) return parsed.entries.front().value;
  } catch (const InputError&) {
    // a plain word
  }
  TomlValue text;
  text.kind = Kind::text;
  text.text = change.value;
  return text;
}

TomlValue& entry_of(TomlValue& table, const std::string& key) {
  for (TomlEntry& entry : table.entries)
    if (entry.key == key) return entry.value;
  TomlEntry entry;
  entry.key = key;
  entry.line = table.line;
  entry.value.line = table.line;
  table.entries.push_back(entry);
  return table.entries.back().value;
}

template <class Kinds>
bool has_parameter(const Kinds& kinds, const std::string& name) {
  return std::any_of(kinds.begin(), kinds.end(), [&](const auto& kind) {
    return std::any_of(kind.parameters.begin(), kind.parameters.end(), [&](const ParameterInfo& info) { return info.name == name; });
  });
}

// Parameters that the kernel of a term does not have are errors: those of the kernel before go with it.
void drop_parameters_of_other_kernels(TomlValue& term) {
  const std::string name = text_in(term, "kernel");
  std::list<KernelKind> own;
  for (const KernelKind& kind : kernel_kinds())
    if (kind.name == name) own.push_back(kind);
  if (own.empty()) return;  // an unknown kernel is an error of its own
  std::erase_if(term.entries, [&](const TomlEntry& entry) {
    return has_parameter(kernel_kinds(), entry.key) && !has_parameter(own, entry.key) && !has_parameter(descriptor_kinds(), entry.key);
  });
}

}  // namespace

void apply_override(TomlValue& document, const ConfigurationOverride& change) {
  std::vector<std::string> parts = parts_of(change.key);
  if (parts.size() < 2 || std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.empty(); }))
    throw InputError(fmt::format("'{}' is no key of a configuration, expected term.NAME.KEY or SECTION.KEY", change.key));
  TomlValue* table = &document;
  std::size_t next = 0;
  if (parts[0] == "term") {
    if (parts.size() < 3) throw InputError(fmt::format("'{}': expected term.NAME.KEY, with the name of a [[term]]", change.key));
    auto terms = std::find_if(document.entries.begin(), document.entries.end(), [](const TomlEntry& e) { return e.key == "term"; });
    const std::vector<std::string> names = terms == document.entries.end() ? std::vector<std::string>{} : names_of_terms(terms->value);
    const auto found = std::find(names.begin(), names.end(), parts[1]);
    if (found == names.end())
      throw InputError(fmt::format("'{}': there is no [[term]] named '{}'{}", change.key, parts[1], suggestion(parts[1], names)));
    table = &terms->value.items[static_cast<std::size_t>(found - names.begin())];
    next = 2;
  }
  for (; next + 1 < parts.size(); ++next) {
    table = &entry_of(*table, parts[next]);
    if (table->kind != Kind::table)
      throw InputError(fmt::format("'{}': '{}' is {}, expected a table", change.key, parts[next], table->description()));
  }
  TomlValue& place = entry_of(*table, parts.back());
  const int line = place.line;
  place = value_of(change);
  place.line = line;
  if (parts[0] == "term" && parts.size() == 3 && parts[2] == "kernel") drop_parameters_of_other_kernels(*table);
}

}  // namespace gapkit
