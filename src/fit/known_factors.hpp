#pragma once

#include <gapkit/core/units.hpp>
#include <span>

namespace gapkit {

inline constexpr double ev_per_rydberg = 0.5 * ev_per_hartree;

inline constexpr double kcal_per_mol_per_ev = 23.0605, kj_per_mol_per_ev = 96.4853;

/// A factor between two numbers that should be equal, and its usual cause.
struct KnownFactor {
  double factor;
  const char* meaning;
};

/// Between energies and the energies that forces in eV/Å imply.
std::span<const KnownFactor> known_force_factors();
/// Between energies and the energies that virials in eV imply.
std::span<const KnownFactor> known_virial_factors();
/// Between energies of one kind.
std::span<const KnownFactor> known_energy_factors();

/// The nearest factor to |factor| within the relative tolerance; null if none is that near.
const KnownFactor* find_factor(std::span<const KnownFactor> known, double factor, double tolerance);

}  // namespace gapkit
