// Included by stationary_loops_*.cpp, each compiled for its own instruction set, without reassociation; no headers with inline functions
// here.

#include <gapkit/math/exponentials.hpp>

#include "kernels/stationary_loops.hpp"

namespace gapkit {
namespace {

// Points first … first + count − 1. `Size` is the number of dimensions if it is above 0.
template <int Size>
void gaussian_piece(const StationaryPoints& points, const double* x, long first, int count, double* __restrict v) {
  const int dimensions = Size > 0 ? Size : points.size;
  const double *z = points.z + first, *lambda = points.lambda;
  const long stride = points.stride;
  for (int m = 0; m < count; ++m) {
    double sum = 0;
    for (int d = 0; d < dimensions; ++d) {
      const double difference = z[d * stride + m] - x[d];
      sum += lambda[d] * difference * difference;
    }
    v[m] = -0.5 * sum;
  }
  exponentials(v, count);
}

void gaussian_row(const StationaryPoints& points, const double* x, double* result) {
  constexpr long piece = 128;
  for (long first = 0; first < points.count; first += piece) {
    const int n = static_cast<int>(points.count - first < piece ? points.count - first : piece);
    if (points.size == 1)
      gaussian_piece<1>(points, x, first, n, result + first);
    else if (points.size == 3)
      gaussian_piece<3>(points, x, first, n, result + first);
    else
      gaussian_piece<0>(points, x, first, n, result + first);
  }
}

}  // namespace

extern const StationaryLoops GAPKIT_LOOPS;
const StationaryLoops GAPKIT_LOOPS = {gaussian_row};

}  // namespace gapkit
