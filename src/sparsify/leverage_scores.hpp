#pragma once

#include <gapkit/core/types.hpp>

namespace gapkit {

/// Leverage scores of the rows of x [N, D]: Σ_{j < k} U_ij² for x = U Σ Vᵀ, with k half of the numerically nonzero singular values
/// (rounded up): the weight of each row in the leading subspace. Their sum is k.
///
/// Cost: the eigenvectors of the smaller of xᵀx and xxᵀ, and N D k. Throws NumericalError.
Vector leverage_scores(const Matrix& x);

}  // namespace gapkit
