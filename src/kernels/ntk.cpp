#include "kernel_kinds.hpp"
#include "kernels/neural_kernel.hpp"

namespace gapkit {

KernelKind ntk_kind() {
  return neural_kind("ntk", "neural tangent kernel: an infinitely wide network of which all layers are trained", true);
}

}  // namespace gapkit
