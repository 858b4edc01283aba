#pragma once

#include <gapkit/core/structure.hpp>
#include <map>

namespace gapkit {

/// Which keys and columns of a frame hold its targets. Empty: found among the default names.
struct TargetKeys {
  std::string energy = {};
  std::string forces = {};
  std::string virial = {};
  std::string stress = {};
  std::string config_type = "config_type";
  std::string force_mask = "force_mask";
  /// False: the target is not used; what is wrong with it leaves it out (and is counted) instead of being an error.
  bool use_energy = true, use_forces = true, use_virial = true;

  void set_use(bool with_energy, bool with_forces, bool with_virial) {
    use_energy = with_energy;
    use_forces = with_forces;
    use_virial = with_virial;
  }
};

/// What target assignment met over all frames it saw; for the log and for checks.
struct TargetReport {
  std::map<std::string, long> energy_keys;  ///< key → frames in which it was used
  std::map<std::string, long> forces_keys;
  std::map<std::string, long> virial_keys;
  std::map<std::string, long> stress_keys;
  long frames = 0;
  long frames_without_energy = 0;
  long frames_without_forces = 0;
  long frames_without_virial = 0;
  long frames_with_unused_free_energy = 0;                          ///< `free_energy` is there, another energy key was used
  std::map<std::pair<std::string, std::string>, long> same_values;  ///< used key, other key that could hold the same target → frames
  long targets_left_out = 0;                                        ///< wrong, but not used
  std::string first_left_out;                                       ///< what was wrong with the first of them

  /// Lines for the log: which key gave which property, and in how many frames; same_value_lines(); a note on an unused free_energy.
  std::vector<std::string> lines() const;
  /// A line for each pair of keys that hold the same target with the same values.
  std::vector<std::string> same_value_lines() const;
};

/// Fills the targets of a frame (energy, forces, virial, the σ's, force_mask, config_type) from its fields and columns.
///
/// Default names, tried in this order: energy, REF_energy, dft_energy, DFT_energy; forces likewise (`forces` or `force`), virial
/// (`virial` or `virials`), stress. Several of them in one frame is an error unless one is named in `keys` or their values are equal
/// (to 10⁻⁶, of the largest if there are several numbers); the first is then used. Stress (6 numbers in
/// ASE's Voigt order, or 9; eV/Å³, positive under tension) becomes virial = −stress·volume; if both are given and differ by more
/// than 10⁻³ of the norm (and 10⁻³ eV), that is an error, as is a virial or stress that is not symmetric to 10⁻³ of its norm (and
/// 10⁻³ eV). If only one of virial and stress is named in `keys`, the other is not looked at.
/// Also read: energy_sigma, force_sigma, virial_sigma, virial_component_sigma (fields), force_atom_sigma, force_component_sigma (real
/// columns), the mask (logical or integer column).
/// A key named in `keys` that a frame lacks leaves that target empty. NaN or infinity in a target: InputError.
void assign_targets(Structure& structure, const TargetKeys& keys, TargetReport* report = nullptr);

}  // namespace gapkit
