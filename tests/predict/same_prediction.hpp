#pragma once
// Comparison of two predictions, for the tests of this layer.

#include <gapkit/predict/predictor.hpp>

#include "support/support.hpp"

namespace gapkit::test {

/// Compares two predictions, relative to the size of the numbers.
inline void check_same(const Prediction& actual, const Prediction& expected, double tolerance) {
  const double force_scale = 1 + expected.forces->cwiseAbs().maxCoeff();
  const double virial_scale = 1 + expected.virial->cwiseAbs().maxCoeff();
  check_close(actual.energy, expected.energy, tolerance, tolerance);
  CHECK(largest_difference(actual.local_energy, expected.local_energy) <= tolerance * (1 + expected.local_energy.cwiseAbs().maxCoeff()));
  CHECK(largest_difference(*actual.forces, *expected.forces) <= tolerance * force_scale);
  CHECK(largest_difference(*actual.virial, *expected.virial) <= tolerance * virial_scale);
}

}  // namespace gapkit::test
