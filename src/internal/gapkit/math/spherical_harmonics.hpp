#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

/// Real spherical harmonics Y_lm, orthonormal on the sphere, of a unit vector, with the gradient along the sphere.
///
/// value[l² + l + m], m = −l … l (m < 0: sine, m > 0: cosine); gradient, if not null, holds three blocks of (l_max+1)² entries: the
/// component α of r ∇Y_lm(r/|r|), which is tangential to the sphere.
/// Cost: O(l_max²). Source: recurrences for polynomials in x, y, z, e.g. Bigi et al., J. Chem. Phys. 159, 064802 (2023).
void real_spherical_harmonics(int l_max, const Vector3& unit, double* value, double* gradient = nullptr);

}  // namespace gapkit
