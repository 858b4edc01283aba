#pragma once

#include <gapkit/core/structure.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gapkit::extxyz {

enum class ColumnRole { ordinary, species, atomic_number, position };

struct PlannedColumn {
  std::string name;
  char type = 'R';  ///< R, I, S or L
  int count = 1;
  ColumnRole role = ColumnRole::ordinary;
};

/// How the rows of a frame are read.
struct PropertiesPlan {
  std::vector<PlannedColumn> columns;
  int total_count = 0;     ///< values per row
  bool is_plain = false;   ///< no Properties: species x y z
  bool is_lammps = false;  ///< plain, with the remark that LAMMPS writes
  std::string text;        ///< for messages
};

/// name:type:count triplets with the roles of the columns. Throws InputError without a place.
PropertiesPlan parse_properties(std::string_view text);

/// Fills cell, pbc and fields from the comment line. Throws InputError without a place.
PropertiesPlan read_comment(std::string_view line, Structure& structure);

/// True if `key` is Lattice, Properties or pbc, in any case: keys that are no fields.
bool is_reserved_key(std::string_view key);

}  // namespace gapkit::extxyz
