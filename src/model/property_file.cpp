#include "model/property_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

constexpr std::int64_t most_properties = 1000;

std::string property_place(std::size_t i) {
  return fmt::format("properties/{}/", i);
}

}  // namespace

void put_properties(ArchiveWriter& archive, const std::vector<FittedProperty>& properties) {
  if (properties.empty()) return;
  archive.put("properties/count", static_cast<std::int64_t>(properties.size()));
  for (std::size_t i = 0; i < properties.size(); ++i) {
    const PropertyKeys& keys = properties[i].keys;
    ArchiveWriter group = archive.within(property_place(i));
    group.put("name", keys.name);
    group.put("unit", keys.unit);
    group.put("column", keys.column);
    group.put("total", keys.total);
    group.put("dipole", keys.dipole);
    ArchiveWriter field = group.within("field/");
    put_model(field, *properties[i].field);
  }
}

std::vector<FittedProperty> get_properties(const ArchiveReader& archive, const std::string& where) {
  std::vector<FittedProperty> properties;
  if (!archive.has("properties/count")) return properties;
  const std::int64_t count = archive.integer("properties/count");
  if (count < 1 || count > most_properties)
    throw InputError(fmt::format("{}: properties/count is {}, expected 1 to {}", where, count, most_properties));
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const ArchiveReader group = archive.within(property_place(i));
    FittedProperty property;
    property.keys = {.name = group.string("name"),
                     .unit = group.string("unit"),
                     .column = group.string("column"),
                     .total = group.string("total"),
                     .dipole = group.string("dipole")};
    const auto is_same = [&](const FittedProperty& other) { return other.keys.name == property.keys.name; };
    if (property.keys.name.empty() || std::any_of(properties.begin(), properties.end(), is_same))
      throw InputError(fmt::format("{}: the property {} has the name '{}', expected a name of its own", where, i + 1, property.keys.name));
    property.field =
        std::make_shared<const Model>(get_model(group.within("field/"), fmt::format("{}: property '{}'", where, property.keys.name)));
    properties.push_back(std::move(property));
  }
  return properties;
}

}  // namespace gapkit
