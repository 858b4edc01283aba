#pragma once

#include <gapkit/core/reusable_matrix.hpp>

#include "descriptors/soap_packs.hpp"

namespace gapkit {

/// Radial tables and recurrences of the loops over packs, without the functions that are zero.
template <class Real>
struct SoapTables {
  std::vector<AlignedVector<Real>> radial;  // by species, or one for all
  std::vector<Real> beta;
  std::vector<double> factor;
  SoapShape<Real> shape;
  double per_spacing = 0;  // 1/Å, of the knots
  int last_knot = 0;       // that begins an interval
  double origin = 0;       // SoapCutoff::origin
  int rows_of_knot = 0;

  const Real* of(int species) const { return radial[radial.size() > 1 ? static_cast<std::size_t>(species) : 0].data(); }
};

}  // namespace gapkit
