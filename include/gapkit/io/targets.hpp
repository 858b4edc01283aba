#pragma once

#include <gapkit/core/structure.hpp>
#include <map>

namespace gapkit {

/// Keys and columns of a frame with the values of another model. A fit learns the difference from it (methods.md, section 1).
struct BaseKeys {
  /// By the name of the source in targets(), as TargetKeys::names; what is not there the base does not give. Empty: there is no base.
  std::map<std::string, std::string, std::less<>> columns = {};
  std::string name = {};  ///< of the other model, for messages and the record; may be empty

  bool is_used() const { return !columns.empty(); }
  /// Whether the base gives the target.
  bool has(const TargetInfo& target) const;
  /// Whether a key or column is one of the base's.
  bool reads(std::string_view name) const;
  /// "GFN2-xTB (energy 'xtb_energy', forces 'xtb_forces')"
  std::string text() const;
  bool operator==(const BaseKeys&) const = default;
};

/// Names of a tensor in frames and predictions.
struct TensorKeys {
  std::string name;              ///< in predictions: gap_NAME
  std::string key;               ///< of frames, or the column with target = "atom"
  std::string kind;              ///< "vector", "symmetric" (9 numbers, or 6: xx yy zz yz xz xy) or "scalar"
  std::string target = "sum";    ///< over the atoms, their "mean", or the value at each "atom"
  std::string units;             ///< of the file; never converted
  std::string origin;            ///< of dipoles of charged frames: "mass", "nuclear_charge", "geometric"; empty: not given
  std::string derivatives = {};  ///< column of dT/dr: component b by coordinate a at (components) a + b; empty: none
  std::string charges = {};      ///< property whose values are charges q: Σ q_i (r_i − r₀) is part of the vector; empty: none

  bool is_per_atom() const { return target == "atom"; }
  /// Cartesian components: 3, 9 or 1.
  int components() const { return kind == "vector" ? 3 : kind == "symmetric" ? 9 : 1; }
  /// λ of its spherical parts.
  std::vector<int> ranks() const { return kind == "vector" ? std::vector{1} : kind == "symmetric" ? std::vector{0, 2} : std::vector{0}; }
};

/// Keys and columns of a frame that hold a local property: a scalar of each atom, such as its charge, Hirshfeld volume or magnetic moment.
struct PropertyKeys {
  std::string name;         ///< of the property, in predictions
  std::string unit = {};    ///< of its values; may be empty
  std::string column = {};  ///< of the values; empty: none
  std::string total = {};   ///< key of the sum over the atoms; frames without it have 0; empty: none
  std::string dipole = {};  ///< key of the dipole Σ r_i q_i (unit · Å), of the positions in the frame; empty: none

  bool operator==(const PropertyKeys&) const = default;
};

/// The targets of a local property in a frame, as they are there. Only the total has a default: 0, in a frame with values or a dipole.
/// Throws InputError for a wrong type, a wrong number of values, NaN and infinity.
LocalTargets read_property(const Structure& structure, const PropertyKeys& keys);

/// Keys and columns of a frame that hold its targets.
struct TargetKeys {
  /// By the name of the source in targets() ("energy", "forces", "virial", "stress"). Absent or empty: found among the default names.
  std::map<std::string, std::string, std::less<>> names = {};
  std::string config_type = "config_type";
  std::string force_mask = "force_mask";
  /// False: the target is not used; a mistake in it is counted and leaves it out, instead of being an error.
  PerTarget<bool> use = PerTarget<bool>(true);
  BaseKeys base = {};

  /// The key or column that is named for a source; empty if none is. Throws Error for an unknown source.
  const std::string& named(std::string_view source) const;
  void name(std::string_view source, const std::string& key);
  /// True if one of the target's sources is named.
  bool names_any(const TargetInfo& target) const;
};

/// Counts of target assignment over all frames, for the log and for checks.
struct TargetReport {
  /// By the name of the source in targets(): key → frames in which it was used.
  std::map<std::string, std::map<std::string, long>, std::less<>> keys;
  long frames = 0;
  PerTarget<long> frames_without;
  long frames_with_unused_free_energy = 0;                          ///< with a key `free_energy` beside the used energy key
  std::map<std::pair<std::string, std::string>, long> same_values;  ///< used key, other key that could hold the same target → frames
  long targets_left_out = 0;                                        ///< with mistakes, but not used
  std::string first_left_out;                                       ///< mistake of the first of them

  const std::map<std::string, long>& keys_of(std::string_view source) const;
  /// True if a frame had the target.
  bool has(const TargetInfo& target) const;
  /// Lines for the log: the key of each property, and the number of its frames; same_value_lines(); a note on an unused free_energy.
  std::vector<std::string> lines() const;
  /// A line for each pair of keys that hold the same target with the same values.
  std::vector<std::string> same_value_lines() const;
};

/// Fills the targets of a frame (those of targets(), their σ, force_mask, config_type) from its fields and columns.
///
/// Default names, tried in this order: energy, REF_energy, dft_energy, DFT_energy; forces likewise (`forces` or `force`), virial
/// (`virial` or `virials`), stress. Several of them in one frame is an error unless one is named in `keys` or their values are equal
/// (to 10⁻⁶, of the largest if there are several numbers); the first is then used. Stress (6 numbers in
/// ASE's Voigt order, or 9; eV/Å³, positive under tension) becomes virial = −stress·volume; if both are given and differ by more
/// than 10⁻³ of the norm (and 10⁻³ eV), that is an error, as is a virial or stress that is not symmetric to 10⁻³ of its norm (and
/// 10⁻³ eV). If only one of virial and stress is named in `keys`, the other is ignored.
/// Also read: TARGET_sigma (field) of each target, TARGET_atom_sigma and TARGET_component_sigma of targets of atoms (real columns),
/// TARGET_component_sigma of others with several components (field), the mask (logical or integer column).
/// A key named in `keys` that a frame lacks leaves that target empty. NaN or infinity in a target: InputError.
/// Structure::base is filled by the same rules from keys.base, of all atoms; whatever is wrong with it: InputError.
void assign_targets(Structure& structure, const TargetKeys& keys, TargetReport* report = nullptr);

/// Fills Structure::base alone.
void assign_base(Structure& structure, const BaseKeys& base);

/// The rows of the base for a target. Throws InputError, with the nearest name that the frame has, if it lacks them, or if the base does
/// not give the target.
const std::vector<double>& base_rows(const Structure& structure, const BaseKeys& base, const TargetInfo& target);

/// Takes the base off the targets that the frame has. Throws as base_rows() if a value that the base gives is missing, or if it does not
/// give a target that the frame has and that is in `use`; if it is not in `use`, it is taken away.
void subtract_base(Structure& structure, const BaseKeys& base, const PerTarget<bool>& use);

}  // namespace gapkit
