#pragma once

#include <gapkit/core/structure.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gapkit::extxyz {

/// A mistake in a frame whose rows could be read, and the atom whose row shows it.
struct Complaint {
  std::int64_t atom = 0;  ///< from 1
  std::string text;
};

/// Examines the rows of a plain XYZ frame, which does not name its columns.
class PlainRows {
 public:
  explicit PlainRows(bool is_lammps) : is_lammps_(is_lammps) {}

  /// `rest`: the words behind x y z.
  void add(std::string_view species, std::string_view rest);
  /// True if all species are numbers.
  bool are_all_numbers() const { return rows_with_numbers_ == rows_; }
  /// After the last row: values without a name, or types of atoms instead of elements.
  std::optional<Complaint> complaint() const;

 private:
  bool are_types() const;
  std::string types_text() const;
  std::string extra_text() const;

  bool is_lammps_;
  std::int64_t rows_ = 0, rows_with_numbers_ = 0, first_extra_ = 0;
  std::set<std::int64_t> numbers_;
  int fewest_ = 0, most_ = 0;  // values behind x y z
  bool are_numbers_ = true;
};

/// Numbers that stand for the elements in the frames of a file, in a column that is not called Z or numbers.
class NumericSpecies {
 public:
  /// A frame whose species are all numbers; `where`: its file, line and frame.
  void add(const std::vector<int>& numbers, const std::string& where);
  /// After the last frame, if no frame has symbols: an error if the numbers are 1, 2, ... without a gap, as types of atoms are.
  std::optional<std::string> complaint() const;

 private:
  std::set<int> numbers_;
  std::string first_frame_;
};

/// A column that contradicts `species_column`, which gave the elements.
std::optional<Complaint> contradicted_element(const std::vector<Column>& columns, const std::vector<int>& atomic_numbers,
                                              const std::string& species_column);

/// A column `positions` that contradicts the column `pos`, which gave the positions (x y z of each atom).
std::optional<Complaint> contradicted_position(const std::vector<Column>& columns, const std::vector<double>& positions);

}  // namespace gapkit::extxyz
