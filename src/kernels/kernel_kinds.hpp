#pragma once

#include <gapkit/kernels/kernel.hpp>

namespace gapkit {

KernelKind dot_product_kind();
KernelKind polynomial_kind();
KernelKind squared_exponential_kind();
KernelKind piecewise_polynomial_kind();
KernelKind ntk_kind();
KernelKind nngp_kind();

/// Throws InputError unless the shapes are x [E, D], z [M, D] and [E, M] for every output.
void check_all_kernel_shapes(const MatrixView& x, const MatrixView& z, const KernelParts& out);
/// The same for kernels without has_own_slope(): refuses the outputs that belong to it.
void check_kernel_shapes(const MatrixView& x, const MatrixView& z, const KernelParts& out);

/// True if a loop over `work` kernel values should start threads: enough work, and not inside a parallel region.
bool pays_to_start_threads(double work);

/// The parameter length_scale of stationary kernels: one number, or one per dimension.
ParameterInfo length_scale_info();
/// Values of length_scale. Throws InputError, beginning with `kernel`, unless all are positive and their inverse squares finite.
std::vector<double> checked_length_scale(const Parameters& parameters, const std::string& kernel);
/// Λ = diag(θ⁻²) for features of `size` components. Throws InputError if there are several θ, but not `size`.
Vector length_scale_metric(const std::vector<double>& length_scale, int size, const std::string& kernel);

/// result[i] = base[i]^exponent, exponent ≥ 0; base is overwritten. Square and multiply, each pass one vectorised loop: call it with
/// blocks that stay in the first-level cache.
void integer_power(double* base, int exponent, double* result, Eigen::Index n);

}  // namespace gapkit
