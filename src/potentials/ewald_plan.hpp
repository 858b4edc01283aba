#pragma once

#include <gapkit/core/cell_frame.hpp>
#include <gapkit/potentials/coulomb.hpp>

namespace gapkit {

/// Geometry and parameters of an Ewald sum. Directions that are not periodic have a box of their own: there the Coulomb kernel is cut at
/// `range`, beyond all distances between atoms, so that images do not see each other.
struct EwaldPlan {
  int periodic = 0;              ///< number of periodic directions, 1 … 3
  double alpha = 0;              ///< 1/Å
  double real_cutoff = 0;        ///< Å
  double reciprocal_cutoff = 0;  ///< 1/Å
  double range = 0;              ///< Å; half of the box in directions that are not periodic
  Matrix3 box;                   ///< Å; rows are the vectors; those of periodic directions are the cell's
  Matrix3 along;                 ///< projector on the span of the periodic directions
  double volume = 0;             ///< Å³ of the box
};

/// The cheapest parameters of the wanted accuracy (methods.md, section 9). The structure has a periodic direction.
EwaldPlan plan_ewald(const ChargeCloud& cloud, const CellFrame& frame, const CoulombOptions& options);

}  // namespace gapkit
