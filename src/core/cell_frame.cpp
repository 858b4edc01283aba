#include <fmt/format.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <cmath>
#include <gapkit/core/cell_frame.hpp>
#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

/// Volume of the unit vectors along a, b, c below which they count as coplanar: an angle of 1e-6.
constexpr double smallest_unit_volume = 1e-6;

std::string row_text(const Matrix3& cell, int row) {
  return fmt::format("({}, {}, {})", cell(row, 0), cell(row, 1), cell(row, 2));
}

/// A unit vector perpendicular to `count` (0, 1 or 2) independent vectors.
Vector3 perpendicular(const std::array<Vector3, 3>& known, int count) {
  if (count == 0) return Vector3::UnitX();
  if (count == 2) return known[0].normalized().cross(known[1].normalized()).normalized();
  Eigen::Index axis = 0;
  known[0].cwiseAbs().minCoeff(&axis);
  return known[0].normalized().cross(Vector3(Vector3::Unit(axis))).normalized();
}

double unit_volume(const std::array<Vector3, 3>& known, int count) {
  if (count < 2) return 1;
  const Vector3 normal = known[0].normalized().cross(known[1].normalized());
  return count == 2 ? normal.norm() : std::abs(normal.dot(known[2].normalized()));
}

}  // namespace

CellFrame make_cell_frame(const Structure& structure) {
  CellFrame frame;
  std::array<Vector3, 3> known;
  int count = 0;
  if (structure.cell) {
    const Matrix3& cell = *structure.cell;
    for (int d = 0; d < 3; ++d) {
      const auto direction = static_cast<std::size_t>(d);
      frame.periodic[direction] = structure.pbc[direction];
      if (!frame.periodic[direction]) continue;
      if (!cell.row(d).allFinite() || !(cell.row(d).norm() > 0))
        throw InputError(
            fmt::format("{}cell vector {} is {}, expected a finite vector other than zero in a periodic direction; "
                        "correct the cell or set pbc to false there",
                        structure.place(), d + 1, row_text(cell, d)));
      known[static_cast<std::size_t>(count++)] = frame.basis.row(d) = cell.row(d);
    }
    if (!(unit_volume(known, count) > smallest_unit_volume))
      throw InputError(
          fmt::format("{}the cell has no volume in its periodic directions: vectors {} {} {} are not independent; "
                      "correct the cell or set pbc to false",
                      structure.place(), row_text(cell, 0), row_text(cell, 1), row_text(cell, 2)));
  }
  for (int d = 0; d < 3; ++d) {
    if (frame.periodic[static_cast<std::size_t>(d)]) continue;
    const Vector3 added = perpendicular(known, count);
    known[static_cast<std::size_t>(count++)] = added;
    frame.basis.row(d) = added.transpose();
  }
  frame.inverse = frame.basis.inverse();
  for (int d = 0; d < 3; ++d) frame.height[d] = 1 / frame.inverse.col(d).norm();
  if (!frame.inverse.allFinite() || !frame.height.allFinite())
    throw InputError(structure.place() + "the cell is too large or too small to compute with");
  return frame;
}

}  // namespace gapkit
