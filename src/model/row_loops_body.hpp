// Included by row_loops_*.cpp, each compiled for its own instruction set; no headers with inline functions here.

#include "model/row_loops.hpp"

namespace gapkit {
namespace {

void add_pair(const RowPair& pair, int count, double* __restrict fj, double* __restrict fi, double* __restrict w, long row_stride) {
  constexpr int piece = 64;
  double gx[piece], gy[piece], gz[piece];
  const double* __restrict cx = pair.contraction;
  const double* __restrict cy = cx + pair.stride;
  const double* __restrict cz = cy + pair.stride;
  const double f = pair.cutoff;
  const double px = pair.projection[0], py = pair.projection[1], pz = pair.projection[2];
  const double tx = pair.centre[0], ty = pair.centre[1], tz = pair.centre[2];
  const double dx = pair.cutoff_gradient[0], dy = pair.cutoff_gradient[1], dz = pair.cutoff_gradient[2];
  const double rx = pair.vector[0], ry = pair.vector[1], rz = pair.vector[2];
  for (int first = 0; first < count; first += piece) {
    const int n = count - first < piece ? count - first : piece;
    const double* __restrict slope = pair.slope + first;
    const double* __restrict value = pair.value + first;
    if (pair.inner) {
      const double* __restrict inner = pair.inner + first;
      for (int m = 0; m < n; ++m) {
        const double s = f * slope[m];
        gx[m] = s * (cx[first + m] - px * inner[m] - tx) + dx * value[m];
        gy[m] = s * (cy[first + m] - py * inner[m] - ty) + dy * value[m];
        gz[m] = s * (cz[first + m] - pz * inner[m] - tz) + dz * value[m];
      }
    } else {
      for (int m = 0; m < n; ++m) {
        const double s = f * slope[m];
        gx[m] = s * (cx[first + m] - tx) + dx * value[m];
        gy[m] = s * (cy[first + m] - ty) + dy * value[m];
        gz[m] = s * (cz[first + m] - tz) + dz * value[m];
      }
    }
    if (fj) {
      double* __restrict jx = fj + first;
      double* __restrict jy = jx + row_stride;
      double* __restrict jz = jy + row_stride;
      for (int m = 0; m < n; ++m) {
        jx[m] -= gx[m];
        jy[m] -= gy[m];
        jz[m] -= gz[m];
      }
    }
    if (fi) {
      double* __restrict ix = fi + first;
      double* __restrict iy = ix + row_stride;
      double* __restrict iz = iy + row_stride;
      for (int m = 0; m < n; ++m) {
        ix[m] += gx[m];
        iy[m] += gy[m];
        iz[m] += gz[m];
      }
    }
    if (w) {
      double* __restrict w0 = w + first;
      for (int m = 0; m < n; ++m) {
        w0[m] -= rx * gx[m];
        w0[row_stride + m] -= ry * gy[m];
        w0[2 * row_stride + m] -= rz * gz[m];
        w0[3 * row_stride + m] -= rz * gy[m];
        w0[4 * row_stride + m] -= rz * gx[m];
        w0[5 * row_stride + m] -= ry * gx[m];
      }
    }
  }
}

}  // namespace

extern const RowLoops GAPKIT_LOOPS;
const RowLoops GAPKIT_LOOPS = {add_pair};

}  // namespace gapkit
