// SPDX-License-Identifier: MIT
// Symbols of the elements, by atomic number.
#pragma once

#include <cstring>
#include <string>

namespace LAMMPS_NS {

inline constexpr const char* element_symbols[] = {
    "X",  "H",  "He", "Li", "Be", "B",  "C",  "N",  "O",  "F",  "Ne", "Na", "Mg", "Al", "Si", "P",  "S",  "Cl", "Ar", "K",
    "Ca", "Sc", "Ti", "V",  "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I",  "Xe", "Cs", "Ba", "La", "Ce", "Pr",
    "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W",  "Re", "Os", "Ir", "Pt", "Au",
    "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U",  "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es",
    "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};
inline constexpr int n_element_symbols = sizeof element_symbols / sizeof element_symbols[0];

// 0: no element.
inline int atomic_number(const char* symbol) {
  for (int z = 1; z < n_element_symbols; ++z)
    if (std::strcmp(element_symbols[z], symbol) == 0) return z;
  return 0;
}

inline std::string symbol_of(int z) {
  return z > 0 && z < n_element_symbols ? element_symbols[z] : "?";
}

}  // namespace LAMMPS_NS
