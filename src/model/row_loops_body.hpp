// Included by row_loops_*.cpp, each compiled for its own instruction set; no headers with inline functions here.

#include <gapkit/math/lanes.hpp>
#include <gapkit/model/row_loops.hpp>

namespace gapkit {
namespace {

using lanes::Pack;
constexpr int W = lanes::width;

// force_j −= g, force_i += g, virial −= r ⊗ g.
void spread(const double* __restrict gx, const double* __restrict gy, const double* __restrict gz, const double* vector, int n,
            double* __restrict fj, double* __restrict fi, double* __restrict w, long row_stride) {
  const double rx = vector[0], ry = vector[1], rz = vector[2];
  if (fj) {
    double* __restrict jy = fj + row_stride;
    double* __restrict jz = jy + row_stride;
    for (int m = 0; m < n; ++m) {
      fj[m] -= gx[m];
      jy[m] -= gy[m];
      jz[m] -= gz[m];
    }
  }
  if (fi) {
    double* __restrict iy = fi + row_stride;
    double* __restrict iz = iy + row_stride;
    for (int m = 0; m < n; ++m) {
      fi[m] += gx[m];
      iy[m] += gy[m];
      iz[m] += gz[m];
    }
  }
  if (w)
    for (int m = 0; m < n; ++m) {
      w[m] -= rx * gx[m];
      w[row_stride + m] -= ry * gy[m];
      w[2 * row_stride + m] -= rz * gz[m];
      w[3 * row_stride + m] -= rz * gy[m];
      w[4 * row_stride + m] -= rz * gx[m];
      w[5 * row_stride + m] -= ry * gx[m];
    }
}

void add_pairs(const RowCentre& centre, const RowPair* pairs, int pair_count, int first_column, int column_count, double* w,
               long row_stride) {
  constexpr int piece = 128;
  double gx[piece], gy[piece], gz[piece], ox[piece], oy[piece], oz[piece], along[piece] = {};
  const double f = centre.cutoff;
  for (int first = first_column; first < first_column + column_count; first += piece) {
    const int rest = first_column + column_count - first, n = rest < piece ? rest : piece;
    const double* __restrict slope = centre.slope + first;
    const double* __restrict value = centre.value + first;
    for (int m = 0; m < n; ++m) ox[m] = oy[m] = oz[m] = 0;
    for (const RowPair* pair = pairs; pair < pairs + pair_count; ++pair) {
      const double* __restrict cx = pair->contraction + first;
      const double* __restrict cy = cx + pair->stride;
      const double* __restrict cz = cy + pair->stride;
      // The contraction is too large for the second-level cache, and jumps from row to row hide it from the processor's own foresight.
      if (pair + 1 < pairs + pair_count)
        for (int a = 0; a < 3; ++a)
          for (int m = 0; m < n; m += W) __builtin_prefetch((pair + 1)->contraction + a * pair->stride + first + m);
      const double px = pair->projection[0], py = pair->projection[1], pz = pair->projection[2];
      const double h = centre.own_slope ? 0 : 1;
      const double tx = h * pair->centre[0], ty = h * pair->centre[1], tz = h * pair->centre[2];
      const double dx = pair->cutoff_gradient[0], dy = pair->cutoff_gradient[1], dz = pair->cutoff_gradient[2];
      const double ux = pair->unit[0], uy = pair->unit[1], uz = pair->unit[2];
      for (int m = 0; m < n && pair->radial_count > 0; m += W) {
        Pack sum = {};
        const double* directions = centre.along + first + m;
        for (int d = 0; d < pair->radial_count; ++d) sum += pair->radial[d] * GAPKIT_LOAD(directions + d * pair->stride);
        lanes::store(along + m, sum);
      }
      if (centre.inner) {
        const double* __restrict inner = centre.inner + first;
        for (int m = 0; m < n; ++m) {
          const double s = f * slope[m];
          gx[m] = s * (cx[m] + ux * along[m] - px * inner[m] - tx) + dx * value[m];
          gy[m] = s * (cy[m] + uy * along[m] - py * inner[m] - ty) + dy * value[m];
          gz[m] = s * (cz[m] + uz * along[m] - pz * inner[m] - tz) + dz * value[m];
        }
      } else {
        for (int m = 0; m < n; ++m) {
          const double s = f * slope[m];
          gx[m] = s * (cx[m] + ux * along[m] - tx) + dx * value[m];
          gy[m] = s * (cy[m] + uy * along[m] - ty) + dy * value[m];
          gz[m] = s * (cz[m] + uz * along[m] - tz) + dz * value[m];
        }
      }
      if (centre.own_slope) {
        const double* __restrict own = centre.own_slope + first;
        const double fx = f * pair->centre[0], fy = f * pair->centre[1], fz = f * pair->centre[2];
        for (int m = 0; m < n; ++m) {
          gx[m] += fx * own[m];
          gy[m] += fy * own[m];
          gz[m] += fz * own[m];
        }
      }
      if (pair->moves_centre)
        for (int m = 0; m < n; ++m) {
          ox[m] += gx[m];
          oy[m] += gy[m];
          oz[m] += gz[m];
        }
      spread(gx, gy, gz, pair->vector, n, pair->force ? pair->force + first : nullptr, nullptr, w ? w + first : nullptr, row_stride);
    }
    if (!centre.force) continue;
    double* __restrict fx = centre.force + first;
    double* __restrict fy = fx + row_stride;
    double* __restrict fz = fy + row_stride;
    for (int m = 0; m < n; ++m) {
      fx[m] += ox[m];
      fy[m] += oy[m];
      fz[m] += oz[m];
    }
  }
}

template <int Size>
void add_features(const RowEnvironment& e, int count, double* gradient) {
  constexpr int width = widest_environment_tile;
  double g[Size][width];  // f ∂κ/∂x
  for (int d = 0; d < Size; ++d) {
    const double* __restrict z = e.points + d * e.points_stride;
    const double* __restrict slope = e.slope;
    const double* __restrict own = e.own_slope;
    const double centre = own ? 0 : e.centre[d], f = e.cutoff, along = f * e.centre[d];
    for (int m = 0; m < count; ++m) g[d][m] = f * slope[m] * (z[m] - centre);
    for (int m = 0; own && m < count; ++m) g[d][m] += along * own[m];
  }
  const double* __restrict value = e.value;
  for (int row = 0; row < 3 * e.pairs; ++row) {
    double* __restrict target = gradient + (3 * e.slot[row / 3] + row % 3) * width;
    const double* j = e.jacobian + row * Size;
    const double df = e.cutoff_gradient[row];
    double factor[Size];
    for (int d = 0; d < Size; ++d) factor[d] = j[d];
    for (int m = 0; m < count; ++m) {
      double sum = df * value[m];
      for (int d = 0; d < Size; ++d) sum += factor[d] * g[d][m];
      target[m] += sum;
    }
  }
}

void add_environment(const RowEnvironment& e, int count, double* gradient) {
  switch (e.size) {
    case 1:
      return add_features<1>(e, count, gradient);
    case 2:
      return add_features<2>(e, count, gradient);
    case 3:
      return add_features<3>(e, count, gradient);
    default:
      return add_features<4>(e, count, gradient);
  }
}

void add_gradient(const double* gradient, const double* vector, int count, double* fj, double* fi, double* w, long row_stride) {
  constexpr int width = widest_environment_tile;
  spread(gradient, gradient + width, gradient + 2 * width, vector, count, fj, fi, w, row_stride);
}

}  // namespace

extern const RowLoops GAPKIT_LOOPS;
const RowLoops GAPKIT_LOOPS = {add_pairs, add_environment, add_gradient};

}  // namespace gapkit
