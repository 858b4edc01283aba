#pragma once

#include <gapkit/core/structure.hpp>

namespace gapkit::test {

/// Primitive cell of the diamond structure, two atoms; a is the side of the cubic cell, Å.
inline Structure diamond(double a, int element = 14) {
  Structure s;
  s.cell = Matrix3(a / 2 * (Matrix3() << 0, 1, 1, 1, 0, 1, 1, 1, 0).finished());
  s.pbc = {true, true, true};
  s.atomic_numbers = {element, element};
  s.positions.resize(2, 3);
  s.positions << 0, 0, 0, a / 4, a / 4, a / 4;
  return s;
}

}  // namespace gapkit::test
