#include <array>
#include <cmath>
#include <cstddef>
#include <gapkit/core/units.hpp>
#include <gapkit/potentials/dispersion.hpp>

namespace gapkit {
namespace {

// C6 (hartree bohr⁶), polarizability (bohr³), radius (bohr), from hydrogen on; empty for the lanthanides.
constexpr std::array<FreeAtom, 86> atomic_units = {{{6.5, 4.5, 3.1},
                                                    {1.46, 1.38, 2.65},
                                                    {1387, 164.2, 4.16},
                                                    {214, 38, 4.17},
                                                    {99.5, 21, 3.89},
                                                    {46.6, 12, 3.59},
                                                    {24.2, 7.4, 3.34},
                                                    {15.6, 5.4, 3.19},
                                                    {9.52, 3.8, 3.04},
                                                    {6.38, 2.67, 2.91},
                                                    {1556, 162.7, 3.73},
                                                    {627, 71, 4.27},
                                                    {528, 60, 4.33},
                                                    {305, 37, 4.2},
                                                    {185, 25, 4.01},
                                                    {134, 19.6, 3.86},
                                                    {94.6, 15, 3.71},
                                                    {64.3, 11.1, 3.55},
                                                    {3897, 292.9, 3.71},
                                                    {2221, 160, 4.65},
                                                    {1383, 120, 4.59},
                                                    {1044, 98, 4.51},
                                                    {832, 84, 4.44},
                                                    {602, 78, 3.99},
                                                    {552, 63, 3.97},
                                                    {482, 56, 4.23},
                                                    {408, 50, 4.18},
                                                    {373, 48, 3.82},
                                                    {253, 42, 3.76},
                                                    {284, 40, 4.02},
                                                    {498, 60, 4.19},
                                                    {354, 41, 4.2},
                                                    {246, 29, 4.11},
                                                    {210, 25, 4.04},
                                                    {162, 20, 3.93},
                                                    {129.6, 16.8, 3.82},
                                                    {4691, 319.2, 3.72},
                                                    {3170, 199, 4.54},
                                                    {1968.58, 126.737, 4.8151},
                                                    {1677.91, 119.97, 4.53},
                                                    {1263.61, 101.603, 4.2365},
                                                    {1028.73, 88.4225785, 4.099},
                                                    {1390.87, 80.083, 4.076},
                                                    {609.754, 65.895, 3.9953},
                                                    {469, 56.1, 3.95},
                                                    {157.5, 23.68, 3.66},
                                                    {339, 50.6, 3.82},
                                                    {452, 39.7, 3.99},
                                                    {707.046, 70.22, 4.23198},
                                                    {587.417, 55.95, 4.303},
                                                    {459.322, 43.67197, 4.276},
                                                    {396, 37.65, 4.22},
                                                    {385, 35, 4.17},
                                                    {285.9, 27.3, 4.08},
                                                    {6582.08, 427.12, 3.78},
                                                    {5727, 275, 4.77},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {},
                                                    {1274.8, 99.52, 4.21},
                                                    {1019.92, 82.53, 4.15},
                                                    {847.93, 71.041, 4.08},
                                                    {710.2, 63.04, 4.02},
                                                    {596.67, 55.055, 3.84},
                                                    {359.1, 42.51, 4},
                                                    {347.1, 39.68, 3.92},
                                                    {298, 36.5, 3.86},
                                                    {392, 33.9, 3.98},
                                                    {717.44, 69.92, 3.91},
                                                    {697, 61.8, 4.31},
                                                    {571, 49.02, 4.32},
                                                    {530.92, 45.013, 4.097},
                                                    {457.53, 38.93, 4.07},
                                                    {390.63, 33.54, 4.23}}};

std::array<FreeAtom, atomic_units.size()> in_units_of_gapkit() {
  std::array<FreeAtom, atomic_units.size()> atoms = atomic_units;
  for (FreeAtom& atom : atoms) {
    atom.c6 *= ev_per_hartree * std::pow(angstrom_per_bohr, 6);
    atom.polarizability *= std::pow(angstrom_per_bohr, 3);
    atom.radius *= angstrom_per_bohr;
  }
  return atoms;
}

}  // namespace

const FreeAtom* free_atom(int atomic_number) {
  static const std::array<FreeAtom, atomic_units.size()> atoms = in_units_of_gapkit();
  const auto index = static_cast<std::size_t>(atomic_number - 1);
  return index < atoms.size() && atoms[index].c6 > 0 ? &atoms[index] : nullptr;
}

}  // namespace gapkit
