#pragma once
// Candidates for selections, for the tests of this layer.

#include <cmath>
#include <gapkit/sparsify/selection.hpp>
#include <random>
#include <utility>

#include "support/distributions.hpp"

namespace gapkit::test {

inline Candidates as_candidates(Matrix x, bool with_covariance_cutoffs = false) {
  Candidates c;
  c.x = std::move(x);
  c.covariance_cutoff = Vector::Ones(c.x.rows());
  if (with_covariance_cutoffs)
    for (Eigen::Index i = 0; i < c.covariance_cutoff.size(); ++i)
      c.covariance_cutoff[i] = 0.05 + 0.95 * std::abs(std::sin(0.7 * static_cast<double>(i)));
  return c;
}

inline Matrix random_matrix(int rows, int size, unsigned seed) {
  std::mt19937_64 generator(seed);
  Normal normal;
  Matrix x(rows, size);
  for (double& v : x.reshaped()) v = normal(generator);
  return x;
}

}  // namespace gapkit::test
