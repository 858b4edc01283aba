#include "extxyz_properties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz_values.hpp>
#include <unordered_set>

#include "extxyz_cell.hpp"

namespace gapkit::extxyz {

namespace {

constexpr int largest_row = 100000;  // values per atom; a count beyond is a mistake

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

PlannedColumn* find(std::vector<PlannedColumn>& columns, std::initializer_list<std::string_view> names, char type, int count) {
  for (const auto& name : names)
    for (auto& column : columns)
      if (column.name == name && column.type == type && column.count == count && column.role == ColumnRole::ordinary) return &column;
  return nullptr;
}

PropertiesPlan plain_xyz() {
  PropertiesPlan plan;
  plan.columns = {{"species", 'S', 1, ColumnRole::species}, {"pos", 'R', 3, ColumnRole::position}};
  plan.total_count = 4;
  plan.is_plain = true;
  return plan;
}

/// Nine numbers row by row, the three of a diagonal, or the edge of a cube.
Matrix3 parse_lattice(std::string_view text) {
  const std::vector<double> v = parse_numbers(text);
  if (v.size() != 9 && v.size() != 3 && v.size() != 1)
    throw InputError(fmt::format("Lattice has {}, expected 9 (a_x a_y a_z b_x ... c_z), 3 (a diagonal) or 1 (a cube), found {}",
                                 v.empty() ? "no list of numbers" : fmt::format("{} numbers", v.size()), excerpt(text)));
  if (const auto bad = std::find_if(v.begin(), v.end(), [](double x) { return !std::isfinite(x); }); bad != v.end())
    throw InputError(fmt::format("Lattice has {} as entry {}, expected finite numbers", *bad, bad - v.begin() + 1));
  if (v.size() == 9) return Eigen::Map<const Matrix3>(v.data());
  return v.size() == 3 ? Matrix3(Vector3(v[0], v[1], v[2]).asDiagonal()) : Matrix3(v[0] * Matrix3::Identity());
}

std::array<bool, 3> parse_pbc(const Field& field) {
  std::vector<bool> flags;
  if (const auto* one = std::get_if<bool>(&field.value)) flags.assign(3, *one);
  if (const auto* several = std::get_if<std::vector<bool>>(&field.value)) flags = *several;
  if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&field.value))
    if (std::all_of(integers->begin(), integers->end(), [](std::int64_t i) { return i == 0 || i == 1; }))
      flags.assign(integers->begin(), integers->end());
  if (flags.size() != 3) throw InputError(fmt::format("pbc is {}, expected three logicals as in pbc=\"T T F\"", excerpt(field.text)));
  return {flags[0], flags[1], flags[2]};
}

/// Without Properties, a line of key=value pairs is understood; anything else is the free text of a plain XYZ file.
bool is_free_text(const std::vector<Field>& fields) {
  const bool has_reserved_key = std::any_of(fields.begin(), fields.end(), [](const Field& f) {
    return is_reserved_key(f.key) && !(f.text.empty() && std::holds_alternative<bool>(f.value));
  });
  const bool has_bare_key =
      std::any_of(fields.begin(), fields.end(), [](const Field& f) { return f.text.empty() && std::holds_alternative<bool>(f.value); });
  return has_bare_key && !has_reserved_key;
}

/// "Atoms. Timestep: 500", as LAMMPS writes it above the types of atoms.
bool is_lammps_remark(std::string_view line) {
  return line.starts_with("Atoms. Timestep") || line == "Atoms";
}

}  // namespace

bool is_reserved_key(std::string_view key) {
  const std::string lower = lower_case(key);
  return lower == "lattice" || lower == "properties" || lower == "pbc";
}

PropertiesPlan parse_properties(std::string_view text) {
  PropertiesPlan plan;
  plan.text = text;
  const auto parts = split(text, ':');
  if (parts.size() % 3 != 0)
    throw InputError(fmt::format("Properties={} has {} parts, expected triplets name:type:count as in species:S:1:pos:R:3", excerpt(text),
                                 parts.size()));
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < parts.size(); i += 3) {
    PlannedColumn column;
    column.name = parts[i];
    const std::string triplet = excerpt(fmt::format("{}:{}:{}", parts[i], parts[i + 1], parts[i + 2]));
    if (column.name.empty()) throw InputError(fmt::format("Properties: '{}' has no column name", triplet));
    if (column.name.find('\n') != std::string::npos)
      throw InputError(fmt::format("Properties: '{}' has a line break in its column name", triplet));
    if (!seen.insert(parts[i]).second)
      throw InputError(fmt::format("Properties has the column '{}' twice, expected each name once", excerpt(column.name)));
    if (parts[i + 1].size() != 1 || std::string_view("RISL").find(parts[i + 1]) == std::string_view::npos)
      throw InputError(fmt::format("Properties: '{}' has the type '{}', expected R (real), I (integer), S (string) or L (logical)", triplet,
                                   excerpt(parts[i + 1])));
    column.type = parts[i + 1].front();
    std::int64_t count = 0;
    if (parse_integer(parts[i + 2], count) != NumberStatus::good || count < 1 || count > largest_row)
      throw InputError(fmt::format("Properties: '{}' has the count '{}', expected 1 to {}", triplet, excerpt(parts[i + 2]), largest_row));
    column.count = static_cast<int>(count);
    plan.total_count += column.count;
    if (plan.total_count > largest_row) throw InputError(fmt::format("Properties asks for more than {} values per atom", largest_row));
    plan.columns.push_back(std::move(column));
  }

  PlannedColumn* positions = find(plan.columns, {"pos", "positions"}, 'R', 3);
  if (!positions) throw InputError(fmt::format("Properties={} has no column pos:R:3 for the positions", excerpt(text)));
  positions->role = ColumnRole::position;
  PlannedColumn* species = find(plan.columns, {"species"}, 'S', 1);
  PlannedColumn* number = species ? nullptr : find(plan.columns, {"species"}, 'I', 1);
  if (!species && !number) species = find(plan.columns, {"element"}, 'S', 1);
  if (!species && !number) number = find(plan.columns, {"Z", "numbers"}, 'I', 1);
  if (species) {
    species->role = ColumnRole::species;
  } else if (number) {
    number->role = ColumnRole::atomic_number;
  } else {
    throw InputError(fmt::format("Properties={} has no column species:S:1 (or Z:I:1) for the elements", excerpt(text)));
  }
  for (const PlannedColumn& column : plan.columns)
    if (column.role == ColumnRole::ordinary && (column.name == "species" || column.name == "pos"))
      throw InputError(fmt::format("Properties has a column '{}:{}:{}' beside the one that holds the {}, expected another name",
                                   column.name, column.type, column.count, column.name == "pos" ? "positions" : "elements"));
  return plan;
}

PropertiesPlan read_comment(std::string_view line, Structure& structure) {
  std::vector<Field> fields;
  bool is_text = false;
  try {
    fields = parse_comment(line);
  } catch (const InputError&) {
    // A damaged extended-XYZ line must not pass for a remark.
    const std::string lower = lower_case(line);
    if (lower.find("properties=") != std::string::npos || lower.find("lattice=") != std::string::npos) throw;
    is_text = true;
  }
  const auto find_key = [&](std::string_view key) {
    const Field* found = nullptr;
    for (const auto& field : fields) {
      if (lower_case(field.key) != key) continue;
      if (found) throw InputError(fmt::format("the comment line has both '{}' and '{}', expected one of them", found->key, field.key));
      found = &field;
    }
    return found;
  };
  const Field* properties = find_key("properties");
  if (!properties && !is_text) is_text = is_free_text(fields);
  if (is_text) {
    // As if the line were comment="…": so it is written, and a remark like 12 then reads back as the same number.
    std::string text;
    append_string(text, line);
    structure.fields = {Field{"comment", parse_value(text), text}};
    PropertiesPlan plan = plain_xyz();
    plan.is_lammps = is_lammps_remark(line);
    return plan;
  }

  if (const Field* lattice = find_key("lattice")) structure.cell = parse_lattice(lattice->text);
  structure.pbc.fill(structure.cell.has_value());
  const Field* pbc = find_key("pbc");
  if (pbc) structure.pbc = parse_pbc(*pbc);
  check_cell(fields, structure, pbc);
  PropertiesPlan plan = plain_xyz();
  if (properties) {
    const auto* text = std::get_if<std::string>(&properties->value);
    if (!text) throw InputError(fmt::format("Properties={} is no list of columns as in species:S:1:pos:R:3", excerpt(properties->text)));
    plan = parse_properties(*text);
  }
  std::erase_if(fields, [](const Field& field) { return is_reserved_key(field.key); });
  structure.fields = std::move(fields);
  return plan;
}

}  // namespace gapkit::extxyz
