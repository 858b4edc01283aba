#pragma once

#include <gapkit/math/single_products.hpp>

namespace gapkit {

/// rows ← rows L⁻ᵀ in single precision: each row r becomes L⁻¹ r.
void solve_lower_rows(const SingleView& lower, SingleSlice rows);

}  // namespace gapkit
