#pragma once

#include <gapkit/potentials/potential.hpp>

namespace gapkit {

PotentialKind zbl_kind();
PotentialKind pair_spline_kind();
PotentialKind stillinger_weber_kind();
PotentialKind lennard_jones_kind();
PotentialKind coulomb_kind();
PotentialKind dispersion_kind();

/// A parameter above 0.
ParameterInfo positive_parameter(const std::string& name, const std::string& unit, const std::string& description, double default_value);

/// A number of each atom from a column of the frame. Throws InputError, which has the frame's place and `where`.
std::vector<double> column_of_frame(const Structure& structure, const std::string& name, const std::string& where);

/// Energy of a bond and its derivative.
struct PairEnergy {
  double value = 0;       ///< eV
  double derivative = 0;  ///< eV/Å
};

/// Potential::add for a sum over pairs. `energy(z1, z2, r)`: energy of the bond, called for r < cutoff only.
template <class Energy>
void add_pairs(const Environments& environments, double cutoff, std::span<double> local_energy, std::span<Vector3> dE_dr, Energy&& energy) {
  for (int c = 0; c < environments.size(); ++c) {
    const auto at = static_cast<std::size_t>(c);
    const auto i = static_cast<std::size_t>(environments.centre[at]);
    for (std::size_t p = environments.begin[at]; p < environments.begin[at + 1]; ++p) {
      const double r = environments.distance[p];
      if (!(r < cutoff)) continue;
      const PairEnergy e =
          energy(environments.atomic_number[i], environments.atomic_number[static_cast<std::size_t>(environments.neighbor[p])], r);
      local_energy[i] += 0.5 * e.value;
      if (!dE_dr.empty() && r > 0) dE_dr[p] += 0.5 * e.derivative / r * environments.vector[p];
    }
  }
}

}  // namespace gapkit
