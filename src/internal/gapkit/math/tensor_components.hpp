#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

// Spherical components of Cartesian tensors, m = −λ … λ, in the convention of the real harmonics (methods.md, section 10). The maps keep
// norms: the Frobenius norm of a matrix is the norm of its components.

/// Unit matrices E^k of the components of a symmetric matrix, [2λ+1, 9] row by row. λ = 0 or 2.
Matrix unit_matrices(int lambda);
/// (t_−1, t_0, t_1) = (v_y, v_z, v_x) as a matrix [3, 3]: t = map · v.
Matrix vector_map();

/// Map from the Cartesian components of a tensor (vector: 3, symmetric: 9, scalar: 1) to those of λ, [2λ+1, 3, 9 or 1].
Matrix spherical_map(const std::string& kind, int lambda);

/// A nonzero C^{λμ}_{l1m1,l2m2} of one pair l1 ≤ l2. Indices count from −l.
struct Coupling {
  int mu = 0, m1 = 0, m2 = 0;
  double value = 0;
};
/// Normalised Gaunt integrals G/(Σ_m1m2 G²)^½ of l1, l2 and λ with l1 + l2 + λ even and |l1 − l2| ≤ λ ≤ l1 + l2, by a quadrature that is
/// exact for them.
std::vector<Coupling> gaunt_couplings(int l1, int l2, int lambda);

}  // namespace gapkit
