#pragma once

#include <gapkit/core/units.hpp>
#include <span>

namespace gapkit {

inline constexpr double ev_per_rydberg = 0.5 * ev_per_hartree;

/// A factor between two numbers that should be equal, and its usual cause.
struct KnownFactor {
  double factor;
  const char* meaning;
};

/// By which energies differ from the energies that forces in eV/Å imply.
std::span<const KnownFactor> known_force_factors();
/// By which energies differ from the energies that virials in eV imply.
std::span<const KnownFactor> known_virial_factors();
/// By which energies of one kind differ.
std::span<const KnownFactor> known_energy_factors();

/// The nearest factor to |factor| within the relative tolerance; null if there is none.
const KnownFactor* find_factor(std::span<const KnownFactor> known, double factor, double tolerance);

}  // namespace gapkit
