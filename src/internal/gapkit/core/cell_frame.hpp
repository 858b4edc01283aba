#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// Coordinates of the neighbour search: the cell vector in each periodic direction, in the others a unit vector perpendicular to all
/// before it. A missing, zero or skewed vector is allowed there.
struct CellFrame {
  std::array<bool, 3> periodic = {false, false, false};
  Matrix3 basis = Matrix3::Identity();  ///< rows are the vectors
  Matrix3 inverse = Matrix3::Identity();
  Vector3 height = Vector3::Ones();  ///< Å, distance between the two cell faces that the direction crosses

  /// r = s · basis → s.
  Vector3 fractional(const Vector3& position) const { return inverse.transpose() * position; }
};

/// Throws InputError if a periodic cell vector is not finite, is zero, or depends linearly on the others.
CellFrame make_cell_frame(const Structure& structure);

}  // namespace gapkit
