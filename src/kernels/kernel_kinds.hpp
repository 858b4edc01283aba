#pragma once

#include <gapkit/kernels/kernel.hpp>

namespace gapkit {

KernelKind dot_product_kind();
KernelKind squared_exponential_kind();

/// Throws InputError unless x [E, D], z [M, D] and every output [E, M] fit together.
void check_kernel_shapes(const MatrixView& x, const MatrixView& z, const MatrixSlice& value, const MatrixSlice* slope,
                         const MatrixSlice* inner, const MatrixSlice* curvature);

/// True if a loop over `work` kernel values should start threads of its own: enough to do, and not inside a parallel region already.
bool pays_to_start_threads(double work);

}  // namespace gapkit
