#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// Random displacements and strains of a structure.
struct PerturbOptions {
  double rattle = 0;             ///< Å, standard deviation of each coordinate's displacement
  double strain = 0;             ///< standard deviation of each of the six components of a symmetric strain
  double volume_strain = 0;      ///< half-width: the volume is multiplied by a number drawn uniformly from 1 ± this
  double smallest_distance = 0;  ///< Å; structures with atoms closer than this are drawn again, 100 times at most
  std::uint64_t seed = 0;
};

/// The `index`-th structure of the series that belongs to options.seed: it depends on nothing else, so a series can be continued anywhere.
/// Targets are removed. Strain needs a cell. Throws InputError for options that cannot be and if smallest_distance cannot be kept.
Structure perturbed(const Structure& structure, const PerturbOptions& options, std::uint64_t index);

}  // namespace gapkit
