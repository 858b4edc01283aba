#include "extxyz_cell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <iterator>

namespace gapkit::extxyz {
namespace {

/// A name without underscores and hyphens, in lower case.
std::string bare_name(std::string_view key) {
  std::string name;
  for (const char c : lower_case(key))
    if (c != '_' && c != '-') name.push_back(c);
  return name;
}

/// The numbers of a cell: 3, 6 or 9 that are not all zero; else none.
std::vector<double> cell_numbers(const Field& field) {
  std::vector<double> numbers = parse_numbers(field.text);
  const bool is_cell = (numbers.size() == 3 || numbers.size() == 6 || numbers.size() == 9) &&
                       std::any_of(numbers.begin(), numbers.end(), [](double x) { return x != 0; });
  return is_cell ? numbers : std::vector<double>();
}

/// Of a key under which other programs keep the cell.
std::vector<double> numbers_of_cell(const Field& field) {
  const std::string name = bare_name(field.key);
  const std::string_view known[] = {"cell", "unitcell", "supercell", "cellvectors", "latticevectors", "box", "boxvectors"};
  return std::find(std::begin(known), std::end(known), name) == std::end(known) ? std::vector<double>() : cell_numbers(field);
}

/// Without a Lattice a name that begins like one of a cell is enough.
bool may_be_cell(const Field& field) {
  const std::string name = bare_name(field.key);
  const std::string_view beginnings[] = {"cell", "box", "latt", "unitcell", "supercell", "hmatrix"};
  const auto begins_with = [&](std::string_view beginning) { return name.starts_with(beginning); };
  return std::any_of(std::begin(beginnings), std::end(beginnings), begins_with) && !cell_numbers(field).empty();
}

/// Lengths and angles of a cell do not depend on its orientation: products of its vectors a·a, a·b, ...
bool has_same_shape(const Matrix3& a, const Matrix3& b) {
  const Matrix3 of_a = a * a.transpose(), of_b = b * b.transpose();
  constexpr double tolerance = 2e-3;  // numbers of a comment line may be rounded; a factor of units or a strain is larger
  return ((of_a - of_b).array().abs() <= tolerance * of_b.diagonal().maxCoeff()).all();  // false for NaN
}

/// The cell vectors of lengths a b c and angles α β γ in degrees; absent if there are no such vectors.
std::optional<Matrix3> cell_of_lengths_and_angles(const std::vector<double>& v) {
  constexpr double degree = 3.14159265358979323846 / 180;
  const double cos_a = std::cos(v[3] * degree), cos_b = std::cos(v[4] * degree), cos_c = std::cos(v[5] * degree),
               sin_c = std::sin(v[5] * degree);
  const double y = (cos_a - cos_b * cos_c) / sin_c, square = 1 - cos_b * cos_b - y * y;
  if (!(square > 0)) return std::nullopt;
  Matrix3 cell;
  cell << v[0], 0, 0, v[1] * cos_c, v[1] * sin_c, 0, v[2] * cos_b, v[2] * y, v[2] * std::sqrt(square);
  return cell;
}

/// True if the numbers are the cell in one of the forms that programs write: vectors as rows or columns, a diagonal or three lengths,
/// lengths and angles, lower and upper bounds of a box.
bool is_cell(const std::vector<double>& v, const Matrix3& cell) {
  if (v.size() == 9) {
    const Matrix3 rows = Eigen::Map<const Matrix3>(v.data());
    return has_same_shape(rows, cell) || has_same_shape(rows.transpose(), cell);
  }
  const Vector3 lengths = cell.rowwise().norm();
  const auto are_lengths = [&](const Vector3& found) { return ((found - lengths).array().abs() <= 1e-3 * lengths.maxCoeff()).all(); };
  if (v.size() == 3) return are_lengths({v[0], v[1], v[2]});
  if (are_lengths({v[1] - v[0], v[3] - v[2], v[5] - v[4]})) return true;
  const std::optional<Matrix3> found = cell_of_lengths_and_angles(v);
  return found && has_same_shape(*found, cell);
}

/// Beside a Lattice. Unit cells and supercells are other cells than that of the frame.
void check_cell_is_lattice(const std::vector<Field>& fields, const Matrix3& lattice) {
  for (const Field& field : fields) {
    const std::vector<double> numbers = numbers_of_cell(field);
    const std::string name = bare_name(field.key);
    if (numbers.empty() || name == "unitcell" || name == "supercell" || is_cell(numbers, lattice)) continue;
    throw InputError(fmt::format(
        "'{}' is {}, but Lattice is another cell, with vectors of {:.6g}, {:.6g} and {:.6g} Å; correct one of them, or give '{}' another "
        "name if it is not the cell of the frame",
        excerpt(field.key), excerpt(field.text), lattice.row(0).norm(), lattice.row(1).norm(), lattice.row(2).norm(), excerpt(field.key)));
  }
}

/// A frame that is periodic, or has its cell under another name, needs a Lattice. `pbc` is null if the frame does not say.
void check_cell_is_there(const std::vector<Field>& fields, const Structure& structure, const Field* pbc) {
  const bool is_periodic = structure.pbc[0] || structure.pbc[1] || structure.pbc[2];
  if (pbc && !is_periodic) return;
  const std::string form = "Lattice=\"a_x a_y a_z b_x b_y b_z c_x c_y c_z\"";
  const auto cell = std::find_if(fields.begin(), fields.end(), may_be_cell);
  if (cell != fields.end()) {
    const std::size_t count = parse_numbers(cell->text).size();
    const std::string what_to_do = count == 9
                                       ? fmt::format("if they are the cell vectors (Å), call the key Lattice instead of {}", cell->key)
                                       : fmt::format("if they are the cell, write its vectors (Å) as {}", form);
    throw InputError(
        is_periodic
            ? fmt::format("pbc is {}, there is no Lattice, but '{}' has {} numbers; {}", pbc->text, excerpt(cell->key), count, what_to_do)
            : fmt::format(
                  "'{}' has {} numbers, but there is no Lattice, without which the frame is a molecule; {}; if it is a molecule, add "
                  "pbc=\"F F F\"",
                  excerpt(cell->key), count, what_to_do));
  }
  if (is_periodic)
    throw InputError(fmt::format("pbc is {}, but there is no Lattice; give the cell vectors (Å) as {}, or pbc=\"F F F\" for a molecule",
                                 pbc->text, form));
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

void check_cell(const std::vector<Field>& fields, const Structure& structure, const Field* pbc) {
  if (structure.cell)
    check_cell_is_lattice(fields, *structure.cell);
  else
    check_cell_is_there(fields, structure, pbc);
}

}  // namespace gapkit::extxyz
