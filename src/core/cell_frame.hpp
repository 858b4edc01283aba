#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit {

/// Coordinates in which neighbours are looked for: along each periodic direction the cell vector, along the others unit vectors
/// perpendicular to all before them, so that a missing, zero or skewed vector there does no harm.
struct CellFrame {
  std::array<bool, 3> periodic = {false, false, false};
  Matrix3 basis = Matrix3::Identity();  ///< rows are the vectors
  Matrix3 inverse = Matrix3::Identity();
  Vector3 height = Vector3::Ones();  ///< Å, distance between the two faces of the cell that the direction crosses

  /// r = s · basis → s.
  Vector3 fractional(const Vector3& position) const { return inverse.transpose() * position; }
  Vector3 cartesian(const Vector3& fractional) const { return basis.transpose() * fractional; }
};

/// Throws InputError if a periodic cell vector is not finite, is zero, or lies in the plane or line of the others.
CellFrame make_cell_frame(const Structure& structure);

}  // namespace gapkit
