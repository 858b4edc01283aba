#pragma once

// A kernel and two descriptors as one would add them: CONTRIBUTING.md walks through these files, tests/docs compiles and checks them.

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>

namespace gapkit::example {

KernelKind rational_quadratic_kind();
DescriptorKind coordination_kind();
DescriptorKind four_body_kind();

}  // namespace gapkit::example
