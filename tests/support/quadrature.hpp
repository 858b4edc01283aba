#pragma once

#include <vector>

namespace gapkit::test {

/// ∫ f(x) dx ≈ Σ weight f(point)
struct Quadrature {
  std::vector<long double> point, weight;
};

/// Gauss-Legendre rule with n points on [from, to]: exact for polynomials of degree 2n−1.
Quadrature gauss_legendre(int n, long double from, long double to);

}  // namespace gapkit::test
