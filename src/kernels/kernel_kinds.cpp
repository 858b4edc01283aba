#include "kernel_kinds.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/kind_table.hpp>

namespace gapkit {

namespace {

// A list, so that references to its lines stay valid.
std::list<KernelKind>& table() {
  static std::list<KernelKind> kinds = {dot_product_kind(),          polynomial_kind(), squared_exponential_kind(),
                                        piecewise_polynomial_kind(), ntk_kind(),        nngp_kind()};
  return kinds;
}

}  // namespace

const std::list<KernelKind>& kernel_kinds() {
  return table();
}

void add_kernel_kind(KernelKind kind) {
  add_kind(table(), std::move(kind), "kernel");
}

const KernelKind& kernel_kind(std::string_view name) {
  return find_kind(kernel_kinds(), name, "kernel");
}

void check_kernel_shapes(const MatrixView& x, const MatrixView& z, const KernelParts& out) {
  check_all_kernel_shapes(x, z, out);
  if (out.own_slope != nullptr || out.own_curvature != nullptr || out.both_curvature != nullptr)
    throw InputError("kernel: its gradient has no part along x");
}

void check_all_kernel_shapes(const MatrixView& x, const MatrixView& z, const KernelParts& out) {
  if (x.cols() != z.cols())
    throw InputError(fmt::format("kernel: feature vectors have {} and {} components, expected equal numbers", x.cols(), z.cols()));
  for (const MatrixSlice* output :
       {&out.value, static_cast<const MatrixSlice*>(out.slope), static_cast<const MatrixSlice*>(out.inner),
        static_cast<const MatrixSlice*>(out.curvature), static_cast<const MatrixSlice*>(out.own_slope),
        static_cast<const MatrixSlice*>(out.own_curvature), static_cast<const MatrixSlice*>(out.both_curvature)})
    if (output != nullptr && (output->rows() != x.rows() || output->cols() != z.rows()))
      throw InputError(fmt::format("kernel: result is {} x {}, expected {} x {}", output->rows(), output->cols(), x.rows(), z.rows()));
  if (out.curvature != nullptr && out.slope == nullptr) throw InputError("kernel: the curvature is computed together with the slope only");
}

bool pays_to_start_threads(double work) {
  return work > 3e4 && omp_in_parallel() == 0;
}

ParameterInfo length_scale_info() {
  ParameterInfo length_scale;
  length_scale.name = "length_scale";
  length_scale.type = ParameterInfo::Type::reals;
  length_scale.description = "distance in feature space over which the energy varies: one number, or one per dimension";
  length_scale.smallest = 0;
  length_scale.excludes_smallest = true;
  return length_scale;
}

std::vector<double> checked_length_scale(const Parameters& parameters, const std::string& kernel) {
  const std::vector<double> length_scale = parameters.reals("length_scale");
  if (length_scale.empty()) throw InputError(kernel + ": length_scale is empty, expected one number or one per dimension");
  for (const double theta : length_scale)
    if (!(theta > 0 && std::isfinite(theta) && std::isfinite(1 / (theta * theta))))
      throw InputError(fmt::format("{}: length_scale holds {}, expected numbers above 0", kernel, theta));
  return length_scale;
}

Vector length_scale_metric(const std::vector<double>& length_scale, int size, const std::string& kernel) {
  if (size < 1) throw InputError(fmt::format("{}: feature vectors have {} components, expected at least 1", kernel, size));
  if (length_scale.size() != 1 && length_scale.size() != static_cast<std::size_t>(size))
    throw InputError(fmt::format("{}: length_scale has {} numbers, expected one, or {} for feature vectors of {} components", kernel,
                                 length_scale.size(), size, size));
  Vector result(size);
  for (int d = 0; d < size; ++d) {
    const double theta = length_scale.size() == 1 ? length_scale[0] : length_scale[static_cast<std::size_t>(d)];
    result[d] = 1 / (theta * theta);
  }
  return result;
}

void integer_power(double* base, int exponent, double* result, Eigen::Index n) {
  std::fill(result, result + n, 1.0);
  while (true) {
    if (exponent & 1)
      for (Eigen::Index i = 0; i < n; ++i) result[i] *= base[i];
    exponent >>= 1;
    if (exponent == 0) return;
    for (Eigen::Index i = 0; i < n; ++i) base[i] *= base[i];
  }
}

}  // namespace gapkit
