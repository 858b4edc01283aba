#include "extxyz_complaints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/io/extxyz_values.hpp>

namespace gapkit::extxyz {

void PlainRows::add(std::string_view species, std::string_view rest) {
  ++rows_;
  std::int64_t number = 0;
  if (parse_integer(species, number) == NumberStatus::good) {
    ++rows_with_numbers_;
    numbers_.insert(number);
  }
  int extra = 0;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    double value = 0;
    are_numbers_ = are_numbers_ && parse_real(word, value) == NumberStatus::good;
    ++extra;
  }
  if (extra > 0 && first_extra_ == 0) first_extra_ = rows_;
  fewest_ = rows_ == 1 ? extra : std::min(fewest_, extra);
  most_ = std::max(most_, extra);
}

std::optional<Complaint> PlainRows::complaint() const {
  if (rows_with_numbers_ > 0 && rows_with_numbers_ == rows_ && are_types()) return Complaint{1, types_text()};
  if (most_ > 0) return Complaint{first_extra_, extra_text()};
  return std::nullopt;
}

/// Atomic numbers hardly ever are 1, 2, ... without a gap; one number alone could be hydrogen.
bool PlainRows::are_types() const {
  const auto count = static_cast<std::int64_t>(numbers_.size());
  return is_lammps_ || (count > 1 && *numbers_.begin() == 1 && *numbers_.rbegin() == count);
}

std::string PlainRows::types_text() const {
  const std::string found = numbers_.size() == 1 ? fmt::format("'{}' is", *numbers_.begin())
                                                 : fmt::format("'{}' to '{}' are", *numbers_.begin(), *numbers_.rbegin());
  return fmt::format(
      "{} no element here but {} of atoms as in LAMMPS{}; write symbols of elements (LAMMPS: dump_modify with element), or atomic numbers "
      "as Properties=Z:I:1:pos:R:3, and for periodic data the cell, which the file lacks, as Lattice=\"...\"",
      found, numbers_.size() == 1 ? "a type" : "types", is_lammps_ ? ", which wrote the comment line" : "");
}

std::string PlainRows::extra_text() const {
  const std::string unnamed = "but the comment line has no Properties to say what follows x y z";
  if (fewest_ != most_)
    return fmt::format(
        "the rows of the frame have {} to {} values, {}; give each row the same columns and name them in Properties (as in "
        "Properties=species:S:1:pos:R:3:forces:R:3), or cut the rows after four values",
        4 + fewest_, 4 + most_, unnamed);
  const std::string species = rows_with_numbers_ == rows_ ? "Z:I:1" : "species:S:1";
  const std::string advice =
      most_ == 3 && are_numbers_
          ? fmt::format(
                "if they are forces (eV/Å), add Properties={}:pos:R:3:forces:R:3 to the comment line; if not, give them "
                "their name there",
                species)
          : fmt::format("name them in the comment line (as in Properties={}:pos:R:3:NAME:{}:{})", species, are_numbers_ ? 'R' : 'S', most_);
  return fmt::format("each row of the frame has {} values, {}; {}, or cut the rows after four values", 4 + most_, unnamed, advice);
}

void NumericSpecies::add(const std::vector<int>& numbers, const std::string& where) {
  if (first_frame_.empty()) first_frame_ = where;
  numbers_.insert(numbers.begin(), numbers.end());
}

std::optional<std::string> NumericSpecies::complaint() const {
  constexpr int most_types = 20;  // a set of all elements has more
  const int count = static_cast<int>(numbers_.size());
  if (count == 0 || count > most_types || *numbers_.begin() != 1 || *numbers_.rbegin() != count) return std::nullopt;
  const std::string found = count == 1 ? "'1' stands for all elements of the file and could be hydrogen or a type"
                                       : fmt::format("'1' to '{}' stand for the elements of the file and could be types", count);
  return fmt::format("{}: {} of atoms as in LAMMPS; write symbols of elements{}, or, if they are atomic numbers, Properties=Z:I:1:pos:R:3",
                     first_frame_, found, count == 1 ? " (H if hydrogen is meant)" : "");
}

std::optional<Complaint> contradicted_element(const std::vector<Column>& columns, const std::vector<int>& atomic_numbers,
                                              const std::string& species_column) {
  for (const Column& column : columns) {
    if (column.count != 1) continue;
    const bool is_number =
        column.name == "Z" || column.name == "numbers" || column.name == "atomic_numbers" || column.name == "atomic_number";
    const bool is_symbol = column.name == "element" || column.name == "elements" || column.name == "symbol" || column.name == "symbols";
    const auto* numbers = is_number ? std::get_if<std::vector<std::int64_t>>(&column.values) : nullptr;
    const auto* symbols = is_symbol ? std::get_if<std::vector<std::string>>(&column.values) : nullptr;
    for (std::size_t i = 0; i < atomic_numbers.size(); ++i) {
      const int z = symbols ? find_atomic_number((*symbols)[i]) : atomic_numbers[i];
      const bool differs = numbers ? (*numbers)[i] != atomic_numbers[i] : z != 0 && z != atomic_numbers[i];
      if (!differs) continue;
      const std::string found = numbers ? std::to_string((*numbers)[i]) : (*symbols)[i];
      return Complaint{static_cast<std::int64_t>(i) + 1,
                       fmt::format("atom {} is {} ({}) in the column '{}', but '{}' in the column '{}'; correct one of them, or call '{}' "
                                   "something else if it is no element",
                                   i + 1, element_symbol(atomic_numbers[i]), atomic_numbers[i], species_column, excerpt(found), column.name,
                                   column.name)};
    }
  }
  return std::nullopt;
}

std::optional<Complaint> contradicted_position(const std::vector<Column>& columns, const std::vector<double>& positions) {
  for (const Column& column : columns) {
    const auto* values = std::get_if<std::vector<double>>(&column.values);
    if (column.name != "positions" || column.count != 3 || !values) continue;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      constexpr double tolerance = 1e-3;  // Å: one of them may be rounded
      if (std::abs((*values)[i] - positions[i]) <= tolerance) continue;
      return Complaint{static_cast<std::int64_t>(i / 3) + 1,
                       fmt::format("atom {} has the {} coordinate {} in the column 'pos', but {} in the column 'positions'; correct one of "
                                   "them, or call 'positions' something else",
                                   i / 3 + 1, std::string_view("xyz").substr(i % 3, 1), positions[i], (*values)[i])};
    }
  }
  return std::nullopt;
}

}  // namespace gapkit::extxyz
