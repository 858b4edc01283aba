#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit::test {

/// An analytic potential that labels test structures: E = Σ_i e_i + ½ Σ_ij φ(r_ij), φ(r) = ε_ij [(s/r)⁶ − (s/r)³] (1 − r²/r_c²)³ with
/// s = 2.2 Å, r_c = 4.5 Å, ε_ij = 0.5 eV · √(q_i q_j), q = 1 for silicon and 1.7 for any other element.
inline constexpr double pair_potential_cutoff = 4.5;

/// e_i: energy of an isolated atom, eV.
double lone_atom_energy(int atomic_number);

/// The same structure with energy, forces (−dE/dr) and virial (−dE/dstrain), as members and as fields and columns that are written
/// to a file. A structure without a cell gets no virial.
Structure labelled(Structure structure, const std::string& config_type = "default");

/// An atom in vacuum, without neighbours and without a cell.
Structure lone_atom(int atomic_number, const std::string& config_type = "default");

/// Writes frames as extended XYZ and returns the path.
std::string write_frames(const std::string& path, const std::vector<Structure>& frames);

}  // namespace gapkit::test
