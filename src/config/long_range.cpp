#include "config/long_range.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <gapkit/config/potential.hpp>
#include <gapkit/core/elements.hpp>
#include <gapkit/potentials/long_range.hpp>

namespace gapkit {
namespace {

/// The section with its tables { Na = 1.0 } as the texts "Na = 1.0" that potentials have as parameters.
TomlValue with_texts(const Section& section, TomlValue table) {
  for (TomlEntry& entry : table.entries) {
    if (entry.value.kind != TomlValue::Kind::table) continue;
    std::map<int, double> values;
    for (const TomlEntry& of_element : entry.value.entries) {
      const int z = find_atomic_number(of_element.key);
      if (z == 0 || element_symbol(z) != of_element.key)
        section.fail(of_element.line, fmt::format("'{}' names '{}', expected elements", entry.key, of_element.key));
      values[z] = section.number(of_element, "a number of the element");
    }
    if (values.empty()) section.fail(entry.line, fmt::format("'{}' is empty, expected a number of each element", entry.key));
    entry.value.kind = TomlValue::Kind::text;
    entry.value.text = element_values_text(values);
  }
  return table;
}

PotentialPointer read_one(const TomlValue& table, const std::string& name, const std::filesystem::path& folder) {
  const Section given(&table, "[[long_range]]", name, table.line);
  std::vector<std::string> kinds;
  for (const PotentialKind& kind : potential_kinds())
    if (is_long_range(kind.name)) kinds.push_back(kind.name);
  if (!given.has("kind")) given.fail(given.line(), fmt::format("'kind' is missing, expected one of {}", fmt::join(kinds, ", ")));
  const std::string kind = given.choice("kind", "", kinds);
  const TomlValue texts = with_texts(given, table);
  return read_potential(Section(&texts, "[[long_range]]", name, table.line), potential_kind(kind), folder);
}

}  // namespace

void read_long_range(const TomlValue& document, const std::string& name, const std::filesystem::path& folder,
                     std::vector<PotentialPointer>& potentials) {
  const TomlEntry* entry = document.find("long_range");
  if (!entry) return;
  const auto wrong = [&](const TomlValue& found) {
    throw InputError(fmt::format("{}:{}: 'long_range' is {}, expected [[long_range]] in double brackets, once for each", name, entry->line,
                                 found.description()));
  };
  if (entry->value.kind != TomlValue::Kind::list) wrong(entry->value);
  for (const TomlValue& table : entry->value.items) {
    if (table.kind != TomlValue::Kind::table) wrong(table);
    potentials.push_back(read_one(table, name, folder));
    for (std::size_t i = 0; i + 1 < potentials.size(); ++i)
      if (potentials[i]->name() == potentials.back()->name())
        throw InputError(
            fmt::format("{}:{}: [[long_range]]: a second kind = \"{}\", expected one", name, table.line, potentials.back()->name()));
  }
}

}  // namespace gapkit
