#include "fit/known_factors.hpp"

#include <cmath>

namespace gapkit {
namespace {

// Ratios of energies to the energies that forces in eV/Å imply.
constexpr KnownFactor force_factors[] = {
    {ev_per_hartree, "the forces seem to be in Hartree/Å, or the energies are too large by that factor"},
    {1 / ev_per_hartree, "the energies seem to be in Hartree, expected eV"},
    {ev_per_rydberg, "the forces seem to be in Rydberg/Å, or the energies are too large by that factor"},
    {1 / ev_per_rydberg, "the energies seem to be in Rydberg, expected eV"},
    {ev_per_hartree / angstrom_per_bohr, "the forces seem to be in Hartree/Bohr, expected eV/Å"},
    {ev_per_rydberg / angstrom_per_bohr, "the forces seem to be in Rydberg/Bohr, expected eV/Å"},
    {1 / angstrom_per_bohr, "energies and forces seem to be in atomic units (per Bohr), expected eV and eV/Å"},
    {angstrom_per_bohr, "the positions seem to be in Bohr, expected Å"},
    {kcal_per_mol_per_ev, "the energies seem to be in kcal/mol, expected eV"},
    {1 / kcal_per_mol_per_ev, "the forces seem to be in kcal/mol/Å, expected eV/Å"},
    {kj_per_mol_per_ev, "the energies seem to be in kJ/mol, expected eV"},
    {1 / kj_per_mol_per_ev, "the forces seem to be in kJ/mol/Å, expected eV/Å"},
    {1000, "the energies seem to be in meV, expected eV"},
    {10, "the positions seem to be in nm, expected Å, or the forces are too small by that factor"},
};

constexpr double volume_factor = ev_per_hartree / (angstrom_per_bohr * angstrom_per_bohr * angstrom_per_bohr);
constexpr KnownFactor virial_factors[] = {
    {1 / gpa_per_ev_per_cubic_angstrom, "the stress seems to be in GPa, expected eV/Å³"},
    {0.1 / gpa_per_ev_per_cubic_angstrom, "the stress seems to be in kBar, expected eV/Å³"},
    {ev_per_hartree, "the virial seems to be in Hartree, expected eV"},
    {1 / ev_per_hartree, "the energies seem to be in Hartree, expected eV"},
    {1 / ev_per_rydberg, "the energies seem to be in Rydberg, expected eV"},
    {kcal_per_mol_per_ev, "the energies seem to be in kcal/mol, expected eV"},
    {kj_per_mol_per_ev, "the energies seem to be in kJ/mol, expected eV"},
    {1000, "the energies seem to be in meV, expected eV"},
    {volume_factor, "the stress seems to be in Hartree/Bohr³, expected eV/Å³"},
    {0.5 * volume_factor, "the stress seems to be in Rydberg/Bohr³, expected eV/Å³"},
};

constexpr KnownFactor energy_factors[] = {{ev_per_hartree, "Hartree"}, {ev_per_rydberg, "Rydberg"}};

}  // namespace

std::span<const KnownFactor> known_force_factors() {
  return force_factors;
}

std::span<const KnownFactor> known_virial_factors() {
  return virial_factors;
}

std::span<const KnownFactor> known_energy_factors() {
  return energy_factors;
}

const KnownFactor* find_factor(std::span<const KnownFactor> known, double factor, double tolerance) {
  const KnownFactor* best = nullptr;
  for (const KnownFactor& k : known)
    if (std::abs(std::abs(factor) / k.factor - 1) <= tolerance &&
        (!best || std::abs(std::log(std::abs(factor) / k.factor)) < std::abs(std::log(std::abs(factor) / best->factor))))
      best = &k;
  return best;
}

}  // namespace gapkit
