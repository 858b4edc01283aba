#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// Random displacements and strains of a structure.
struct PerturbOptions {
  double rattle = 0;             ///< Å, standard deviation of each coordinate's displacement
  double strain = 0;             ///< standard deviation of each of the six components of a symmetric strain
  double volume_strain = 0;      ///< half-width: the volume is multiplied by a uniform random number in 1 ± this
  double smallest_distance = 0;  ///< Å; structures with closer atoms are drawn again, at most 100 times
  std::uint64_t seed = 0;
};

/// The `index`-th structure of the series of options.seed; independent of the other structures of the series. Removes targets. Strain needs
/// a cell. Throws InputError for invalid options, and if no draw keeps smallest_distance.
Structure perturbed(const Structure& structure, const PerturbOptions& options, std::uint64_t index);

}  // namespace gapkit
