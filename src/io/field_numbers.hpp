#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// All numbers of a field; empty if it holds other values.
inline std::vector<double> numbers_of(const Field& field) {
  if (const auto* real = std::get_if<double>(&field.value)) return {*real};
  if (const auto* integer = std::get_if<std::int64_t>(&field.value)) return {static_cast<double>(*integer)};
  if (const auto* reals = std::get_if<std::vector<double>>(&field.value)) return *reals;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&field.value)) return {integers->begin(), integers->end()};
  if (const auto* matrix = std::get_if<Matrix>(&field.value)) return {matrix->data(), matrix->data() + matrix->size()};
  return {};
}

/// All numbers of a column; empty if it holds other values.
inline std::vector<double> numbers_of(const Column& column) {
  if (const auto* reals = std::get_if<std::vector<double>>(&column.values)) return *reals;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&column.values)) return {integers->begin(), integers->end()};
  return {};
}

}  // namespace gapkit
