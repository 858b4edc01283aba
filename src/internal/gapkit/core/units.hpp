#pragma once

namespace gapkit {

// gapkit's units: eV, Å, eV/Å, amu, fs; stress in eV/Å³. CODATA 2018.
inline constexpr double gpa_per_ev_per_cubic_angstrom = 160.21766208;
inline constexpr double ev_per_hartree = 27.211386245988;
inline constexpr double angstrom_per_bohr = 0.529177210903;
inline constexpr double coulomb_constant = 14.3996454784;                       // e²/(4πε₀), eV Å
inline constexpr double ev_per_kelvin = 8.617333262e-5;                         // Boltzmann's constant
inline constexpr double acceleration_per_ev_per_angstrom_amu = 9.648533212e-3;  // 1 eV/(Å amu) in Å/fs²

}  // namespace gapkit
