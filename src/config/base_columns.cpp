#include "config/base_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "config/keys.hpp"

namespace gapkit {

std::vector<std::string> base_columns_keys() {
  std::vector<std::string> keys = section_keys("baseline");
  keys.emplace_back("name");
  for (const TargetSource& source : target_sources()) keys.emplace_back(source.name);
  return keys;
}

BaseKeys read_base_columns(const Section& section) {
  section.check_keys(base_columns_keys());
  BaseKeys base;
  base.name = section.text("name", "", true);
  if (std::any_of(base.name.begin(), base.name.end(), [](unsigned char c) { return std::iscntrl(c); }))
    section.fail(section.line("name"), "'name' holds a control character, expected a text of one line");
  for (const TargetSource& source : target_sources()) {
    const std::string column = section.text(source.name, "", true);
    if (column.empty()) continue;
    if (base.reads(column))
      section.fail(section.line(source.name), fmt::format("'{}' names '{}' a second time, expected another name", source.name, column));
    base.columns[source.name] = column;
  }
  // Without it nothing could be said of energies, which are what is fitted.
  if (!base.has(target_info(Property::energy)))
    section.fail(section.line(), "'energy' is missing, expected the name of the key with the energy of the other model (eV)");
  return base;
}

}  // namespace gapkit
