#include "kernel_kinds.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>

namespace gapkit {

const std::vector<KernelKind>& kernel_kinds() {
  static const std::vector<KernelKind> kinds = {dot_product_kind(), squared_exponential_kind()};
  return kinds;
}

const KernelKind& kernel_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& kind : kernel_kinds()) {
    if (kind.name == name) return kind;
    names.push_back(kind.name);
  }
  throw InputError(fmt::format("unknown kernel '{}'{}", name, suggestion(name, names)));
}

void check_kernel_shapes(const MatrixView& x, const MatrixView& z, const MatrixSlice& value, const MatrixSlice* slope,
                         const MatrixSlice* inner, const MatrixSlice* curvature) {
  if (x.cols() != z.cols())
    throw InputError(fmt::format("kernel: feature vectors have {} and {} components, expected equal numbers", x.cols(), z.cols()));
  for (const MatrixSlice* output : {&value, slope, inner, curvature})
    if (output != nullptr && (output->rows() != x.rows() || output->cols() != z.rows()))
      throw InputError(fmt::format("kernel: result is {} x {}, expected {} x {}", output->rows(), output->cols(), x.rows(), z.rows()));
  if (curvature != nullptr && slope == nullptr) throw InputError("kernel: the curvature is computed together with the slope only");
}

bool pays_to_start_threads(double work) {
  return work > 3e4 && omp_in_parallel() == 0;
}

}  // namespace gapkit
