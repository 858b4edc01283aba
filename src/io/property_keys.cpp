#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <gapkit/io/targets.hpp>

#include "io/field_numbers.hpp"

namespace gapkit {
namespace {

std::vector<double> property_values(const Structure& s, const PropertyKeys& keys) {
  const Column* column = keys.column.empty() ? nullptr : s.find_column(keys.column);
  if (!column) return {};
  const std::vector<double> values = numbers_of(*column);
  if (column->count != 1 || values.size() != s.atomic_numbers.size())
    throw InputError(
        fmt::format("{}column '{}' has {}, expected one number for each of {} atoms; name the column of the property '{}' with "
                    "key in its [[property]]",
                    s.place(), column->name, values.empty() ? std::string("no numbers") : fmt::format("{} numbers per atom", column->count),
                    s.size(), keys.name));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw InputError(
          fmt::format("{}column '{}' is {} for atom {} ({}), expected a finite number: correct it, or take the column out of the "
                      "frame",
                      s.place(), column->name, values[i], i + 1, element_symbol(s.atomic_numbers[i])));
  return values;
}

/// The numbers of a key; empty if the frame lacks it.
std::vector<double> property_numbers(const Structure& s, const std::string& key, std::size_t count) {
  const Field* field = key.empty() ? nullptr : s.find_field(key);
  if (!field) return {};
  const std::vector<double> values = numbers_of(*field);
  const bool are_finite = std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
  if (values.size() != count || !are_finite)
    throw InputError(fmt::format("{}key '{}' is '{}', expected {} finite number{}", s.place(), key, extxyz::excerpt(field->text), count,
                                 count == 1 ? "" : "s"));
  return values;
}

}  // namespace

LocalTargets read_property(const Structure& structure, const PropertyKeys& keys) {
  LocalTargets result;
  result.values = property_values(structure, keys);
  if (const auto dipole = property_numbers(structure, keys.dipole, 3); !dipole.empty())
    result.dipole = Vector3(dipole[0], dipole[1], dipole[2]);
  if (keys.total.empty()) return result;
  const auto total = property_numbers(structure, keys.total, 1);
  if (!total.empty())
    result.total = total.front();
  else if (!result.empty())
    result.total = 0;
  return result;
}

}  // namespace gapkit
