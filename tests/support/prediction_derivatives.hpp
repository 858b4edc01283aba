#pragma once

#include <gapkit/predict/predictor.hpp>

#include "support/support.hpp"

namespace gapkit::test {

/// Compares predicted forces and virial with central differences of the predicted energy.
inline void check_derivatives(Predictor& predictor, const Structure& s) {
  const Prediction p = predictor.compute(s);
  const auto energy = [&](const Structure& moved) { return predictor.compute(moved, {.forces = false}).energy; };
  const double h = 1e-4;
  for (int atom = 0; atom < s.size(); ++atom)
    for (int k = 0; k < 3; ++k) {
      Structure up = s, down = s;
      up.positions(atom, k) += h;
      down.positions(atom, k) -= h;
      check_close((*p.forces)(atom, k), (energy(down) - energy(up)) / (2 * h), 1e-5, 1e-6);
    }
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
      up(a, b) += h;
      down(a, b) -= h;
      check_close((*p.virial)(a, b), (energy(deformed(s, down)) - energy(deformed(s, up))) / (2 * h), 1e-4, 1e-5);
    }
}

}  // namespace gapkit::test
