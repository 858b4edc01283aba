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

void put_equilibration(ArchiveWriter& group, const Equilibration& equilibration) {
  std::vector<std::int64_t> elements;
  std::vector<double> widths, hardness;
  for (const auto& [z, width] : equilibration.widths) {
    elements.push_back(z);
    widths.push_back(width);
    hardness.push_back(equilibration.hardness.at(z));
  }
  group.put("equilibration/elements", elements);
  group.put("equilibration/widths", widths);
  group.put("equilibration/hardness", hardness);
}

Equilibration get_equilibration(const ArchiveReader& group, const std::string& where) {
  const std::vector<std::int64_t> elements = group.integers("equilibration/elements");
  const auto count = static_cast<Eigen::Index>(elements.size());
  const std::vector<double> widths = group.doubles("equilibration/widths", count),
                            hardness = group.doubles("equilibration/hardness", count);
  Equilibration equilibration;
  for (std::size_t e = 0; e < elements.size(); ++e) {
    if (elements[e] < 1 || elements[e] > 118 || !(widths[e] > 0) || !(hardness[e] >= 0))
      throw InputError(fmt::format("{}: equilibration/ holds an element, width or hardness that is impossible", where));
    equilibration.widths[static_cast<int>(elements[e])] = widths[e];
    equilibration.hardness[static_cast<int>(elements[e])] = hardness[e];
  }
  return equilibration;
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
    if (properties[i].equilibration) put_equilibration(group, *properties[i].equilibration);
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
    if (group.has("equilibration/elements")) property.equilibration = get_equilibration(group, where);
    property.field =
        std::make_shared<const Model>(get_model(group.within("field/"), fmt::format("{}: property '{}'", where, property.keys.name)));
    properties.push_back(std::move(property));
  }
  return properties;
}

}  // namespace gapkit
