#include "kernel_kinds.hpp"
#include "kernels/neural_kernel.hpp"

namespace gapkit {

KernelKind nngp_kind() {
  return neural_kind("nngp", "an infinitely wide network with random weights: only the last layer is trained", false);
}

}  // namespace gapkit
