#pragma once

#include <gapkit/core/target.hpp>
#include <gapkit/core/types.hpp>
#include <variant>

namespace gapkit {

/// Value of a key in the comment line of an extended-XYZ frame.
using FieldValue = std::variant<bool, std::int64_t, double, std::string, std::vector<bool>, std::vector<std::int64_t>, std::vector<double>,
                                std::vector<std::string>, Matrix>;

/// One key=value pair of a frame.
struct Field {
  std::string key;
  FieldValue value;
  std::string text;  ///< the value in the file, including delimiters; empty if a program has set it
};

/// One entry of `Properties`: `count` values for each atom, atom-major.
struct Column {
  std::string name;
  int count = 1;
  /// vector<double> for R, vector<int64> for I, vector<string> for S, vector<bool> for L; length n_atoms · count
  std::variant<std::vector<double>, std::vector<std::int64_t>, std::vector<std::string>, std::vector<bool>> values;
};

/// Targets of a local property in a frame, in its unit.
struct LocalTargets {
  std::vector<double> values;     ///< one per atom, or empty
  std::optional<double> total;    ///< of the atoms
  std::optional<Vector3> dipole;  ///< unit · Å
  Matrix response = {};           ///< [n, n] for charge equilibration: values are this times those of the field; empty: the same

  bool empty() const { return values.empty() && !total && !dipole; }
};

/// Atoms in a cell with their known properties. A plain value: no results, no cutoff, no descriptors.
///
/// Units: Å, eV, eV/Å. `virial` is −dE/dstrain in eV (−stress·volume), symmetric.
struct Structure {
  std::optional<Matrix3> cell;  ///< rows are the cell vectors; absent for a molecule
  std::array<bool, 3> pbc = {false, false, false};
  std::vector<int> atomic_numbers;
  Positions positions;

  // Targets of the frame, if any (see io/targets.hpp)
  std::optional<double> energy;
  std::optional<Positions> forces;
  std::optional<Matrix3> virial;
  PerTarget<GivenSigmas> sigma;  ///< absolute: replace σ and its factor √N
  std::vector<bool> force_mask;  ///< true: the atom's forces are not fitted; empty or n entries
  std::string config_type = "default";
  /// Values of another model that a fit sits on, as TargetInfo::rows; empty where the frame brings none (BaseKeys in io/targets.hpp).
  PerTarget<std::vector<double>> base;
  LocalTargets local;  ///< in the fit of a local property only; the dipole is about the centroid

  // All other keys and columns, and the place of the frame in its file
  std::vector<Field> fields;
  std::vector<Column> columns;
  std::string source;  ///< "train.xyz:4127 (frame 12)", for messages

  int size() const { return static_cast<int>(atomic_numbers.size()); }
  /// The source as the beginning of messages: "train.xyz:4127 (frame 12): "; empty without a source.
  std::string place() const { return source.empty() ? "" : source + ": "; }
  /// |a · (b × c)| in Å³; 0 without a cell.
  double volume() const;

  const Field* find_field(std::string_view key) const;
  const Column* find_column(std::string_view name) const;
  /// Adds or replaces a key.
  void set_field(std::string_view key, FieldValue value);
  /// Adds or replaces a column of reals: values has n·count entries, atom-major.
  void set_column(std::string_view name, int count, std::vector<double> values);
};

}  // namespace gapkit
