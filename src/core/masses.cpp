#include <array>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/masses.hpp>
#include <string>

namespace gapkit {
namespace {

/// Entry z − 1 belongs to atomic number z.
constexpr std::array<double, largest_atomic_number> masses = {
    1.008,  4.0026, 6.94,   9.0122, 10.81,  12.011, 14.007, 15.999, 18.998, 20.180,                                  // H to Ne
    22.990, 24.305, 26.982, 28.085, 30.974, 32.06,  35.45,  39.95,                                                   // Na to Ar
    39.098, 40.078, 44.956, 47.867, 50.942, 51.996, 54.938, 55.845, 58.933, 58.693, 63.546, 65.38,                   // K to Zn
    69.723, 72.630, 74.922, 78.971, 79.904, 83.798,                                                                  // Ga to Kr
    85.468, 87.62,  88.906, 91.224, 92.906, 95.95,  97,     101.07, 102.91, 106.42, 107.87, 112.41,                  // Rb to Cd
    114.82, 118.71, 121.76, 127.60, 126.90, 131.29,                                                                  // In to Xe
    132.91, 137.33, 138.91, 140.12, 140.91, 144.24, 145,    150.36, 151.96, 157.25, 158.93, 162.50, 164.93, 167.26,  // Cs to Er
    168.93, 173.05, 174.97, 178.49, 180.95, 183.84, 186.21, 190.23, 192.22, 195.08, 196.97, 200.59,                  // Tm to Hg
    204.38, 207.2,  208.98, 209,    210,    222,                                                                     // Tl to Rn
    223,    226,    227,    232.04, 231.04, 238.03, 237,    244,    243,    247,    247,    251,    252,    257,     // Fr to Fm
    258,    259,    262,    267,    268,    269,    270,    269,    278,    281,    282,    285,                     // Md to Cn
    286,    289,    290,    293,    294,    294};                                                                    // Nh to Og

}  // namespace

double atomic_mass(int atomic_number) {
  if (atomic_number < 1 || atomic_number > largest_atomic_number)
    throw InputError("atomic number " + std::to_string(atomic_number) + " does not exist, expected 1 to " +
                     std::to_string(largest_atomic_number));
  return masses[static_cast<std::size_t>(atomic_number - 1)];
}

}  // namespace gapkit
