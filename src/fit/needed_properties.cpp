#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/needed_properties.hpp>
#include <gapkit/potentials/atom_field.hpp>

namespace gapkit {

void keep_needed_properties(FitOptions& options) {
  const auto is_needed = [&](const PropertyOptions& property) {
    return std::any_of(options.baselines.begin(), options.baselines.end(),
                       [&](const PotentialPointer& p) { return missing_property(*p) == property.keys.name; });
  };
  std::erase_if(options.properties, [&](const PropertyOptions& property) { return !is_needed(property); });
  options.tensors.clear();
}

void check_needed_properties(const FitOptions& options, const std::string& where) {
  for (const PotentialPointer& potential : options.baselines) {
    const std::string name = missing_property(*potential);
    if (name.empty()) continue;
    std::vector<std::string> names;
    for (const PropertyOptions& property : options.properties) names.push_back(property.keys.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    throw InputError(fmt::format("{}[[long_range]]: '{}' takes the property '{}', expected a [[property]] of this name, found {}", where,
                                 potential->name(), name, names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
  }
}

}  // namespace gapkit
