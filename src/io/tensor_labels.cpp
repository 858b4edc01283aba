#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <gapkit/io/tensor_labels.hpp>

#include "io/field_numbers.hpp"

namespace gapkit {
namespace {

constexpr double largest_antisymmetric = 1e-3;  // of the norm

std::string expected_counts(const TensorKeys& keys) {
  return keys.kind == "symmetric" ? "9 numbers (a 3 x 3 matrix) or 6 (xx yy zz yz xz xy)"
         : keys.kind == "vector"  ? "3 numbers"
                                  : "one number";
}

/// One tensor from its numbers in the file.
Vector components_of(const double* given, std::size_t count, const TensorKeys& keys, const std::string& where) {
  const auto size = static_cast<Eigen::Index>(count);
  const Eigen::Map<const Vector> numbers(given, size);
  if (!numbers.allFinite()) throw InputError(fmt::format("{}holds a number that is not finite, expected {}", where, expected_counts(keys)));
  if (keys.kind == "symmetric" && count == 6) {
    const Matrix3 full = tensor_of(Eigen::Map<const Voigt>(given));
    return Eigen::Map<const Vector>(full.data(), 9);
  }
  if (size != keys.components())
    throw InputError(fmt::format("{}has {} number{}, expected {} for kind = \"{}\"", where, count, count == 1 ? "" : "s",
                                 expected_counts(keys), keys.kind));
  if (keys.kind != "symmetric") return numbers;
  const Matrix3 full = Eigen::Map<const Matrix3>(given);
  const double antisymmetric = 0.5 * (full - full.transpose()).norm();
  if (antisymmetric > largest_antisymmetric * full.norm())
    throw InputError(
        fmt::format("{}has an antisymmetric part of {:.2g} of its norm, expected a symmetric matrix (at most {}): symmetrise it "
                    "if the part is noise",
                    where, antisymmetric / full.norm(), largest_antisymmetric));
  const Matrix3 symmetric = 0.5 * (full + full.transpose());
  return Eigen::Map<const Vector>(symmetric.data(), 9);
}

}  // namespace

std::optional<Matrix> read_tensor(const Structure& structure, const TensorKeys& keys) {
  if (!keys.is_per_atom()) {
    const Field* field = structure.find_field(keys.key);
    if (field == nullptr) return std::nullopt;
    const std::vector<double> numbers = numbers_of(*field);
    const std::string where = fmt::format("{}key '{}' of the tensor '{}' ", structure.place(), keys.key, keys.name);
    return Matrix(components_of(numbers.data(), numbers.size(), keys, where).transpose());
  }
  const Column* column = structure.find_column(keys.key);
  if (column == nullptr) return std::nullopt;
  const std::vector<double> numbers = numbers_of(*column);
  const auto count = static_cast<std::size_t>(column->count);
  Matrix result(structure.size(), keys.components());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    const std::string where = fmt::format("{}column '{}' of the tensor '{}' at atom {} ", structure.place(), keys.key, keys.name, i + 1);
    const std::size_t first = static_cast<std::size_t>(i) * count;
    if (numbers.size() < first + count) throw InputError(fmt::format("{}has no numbers, expected {}", where, expected_counts(keys)));
    result.row(i) = components_of(&numbers[first], count, keys, where).transpose();
  }
  return result;
}

std::optional<Matrix> read_tensor_derivatives(const Structure& structure, const TensorKeys& keys) {
  const Column* column = keys.derivatives.empty() ? nullptr : structure.find_column(keys.derivatives);
  if (column == nullptr) return std::nullopt;
  const std::vector<double> numbers = numbers_of(*column);
  const std::string where = fmt::format("{}column '{}' of the tensor '{}' ", structure.place(), keys.derivatives, keys.name);
  const auto count = static_cast<std::size_t>(column->count), rows = static_cast<std::size_t>(structure.size());
  if (count % 3 != 0 || numbers.size() != rows * count)
    throw InputError(fmt::format("{}has {} number{} for each atom, expected 3 times {}: all components for a move along x, then y, then z",
                                 where, numbers.empty() ? 0 : count, count == 1 ? "" : "s", expected_counts(keys)));
  Matrix result(3 * structure.size(), keys.components());
  for (Eigen::Index r = 0; r < result.rows(); ++r)
    result.row(r) = components_of(&numbers[static_cast<std::size_t>(r) * (count / 3)], count / 3, keys,
                                  fmt::format("{}at atom {}, direction {}, ", where, r / 3 + 1, "xyz"[r % 3]))
                        .transpose();
  return result;
}

double charge_of_frame(const Structure& structure) {
  for (const char* name : {"total_charge", "charge"}) {
    const Field* field = structure.find_field(name);
    if (field == nullptr) continue;
    const std::vector<double> numbers = numbers_of(*field);
    if (numbers.size() != 1 || !std::isfinite(numbers.front()))
      throw InputError(fmt::format("{}key '{}' is '{}', expected a finite number", structure.place(), name, extxyz::excerpt(field->text)));
    return numbers.front();
  }
  return 0;
}

}  // namespace gapkit
