#pragma once

#include <gapkit/potentials/potential.hpp>

namespace gapkit {

/// Whether a kind of the table is a [[long_range]] of the configuration: it needs the whole cell. The others are a [[baseline]].
bool is_long_range(std::string_view kind);

/// Numbers by element in a text of the form "Cl = -1, Na = 1", which is TOML between braces. Throws InputError, which begins with `where`:
/// an element that does not exist or occurs twice, a number that is missing or not finite.
std::map<int, double> element_values_of(const std::string& text, const std::string& where);
/// The inverse: elements by name, numbers with all digits.
std::string element_values_text(const std::map<int, double>& values);

/// Charges of the atoms for a potential of kind coulomb; empty for another kind. Throws InputError, which begins with the structure's
/// place, if a column is missing or wrong. Elements are those of check_elements().
std::vector<double> charges_of(const Potential& potential, const Structure& structure);

/// The charge that a frame says it has, e; 0 if it does not have the key. Throws InputError, which begins with the structure's place, if it
/// is no number.
double total_charge_of(const Structure& structure, const std::string& key);

/// Widths and hardness that the configuration gives to a potential with charges = "equilibrated"; absent for another potential. Throws
/// InputError for impossible values.
std::optional<Equilibration> given_equilibration(const Potential& potential);

/// A potential of kind coulomb with its charges multiplied by a factor; null for another kind, and for charges that the frames give. The
/// factor of the result is fixed.
PotentialPointer with_scaled_charges(const Potential& potential, double factor);

/// Whether a fit multiplies the charges of a potential of kind coulomb by a factor that it finds: `scale` of the configuration.
bool has_free_scale(const Potential& potential);

}  // namespace gapkit
