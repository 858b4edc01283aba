#pragma once

// Examples of a new kernel and two new descriptors: CONTRIBUTING.md refers to these files, tests/docs compiles and checks them.

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>

namespace gapkit::example {

KernelKind rational_quadratic_kind();
DescriptorKind coordination_kind();
DescriptorKind four_body_kind();

}  // namespace gapkit::example
