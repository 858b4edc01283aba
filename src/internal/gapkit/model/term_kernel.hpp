#pragma once

#include <gapkit/core/parameters.hpp>
#include <gapkit/model/term.hpp>
#include <span>

namespace gapkit {

/// The usual |x|² of a descriptor's features, for kernel parameters that follow it.
double usual_square(const Descriptor& descriptor);

/// The kernel of this name with complete parameters, in its form for the features of a descriptor. Throws InputError if it does not suit
/// them.
std::shared_ptr<const Kernel> kernel_for(const Descriptor& descriptor, const std::string& name, const Parameters& parameters);

/// Whether all descriptors and kernels give more than energies.
bool have_derivatives(std::span<const Term> terms);

/// Throws InputError if a descriptor or a kernel gives energies only (without_derivatives()).
void require_derivatives(std::span<const Term> terms);

}  // namespace gapkit
