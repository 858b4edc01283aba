// Included by row_loops_*.cpp, each of which is compiled for its own instruction set; no headers with inline functions here.

#include <gapkit/math/lanes.hpp>
#include <gapkit/model/row_loops.hpp>

namespace gapkit {
namespace {

using lanes::Pack;
constexpr int W = lanes::width;

constexpr int piece = 128;  // columns in one pass of add_pairs

// Three rows: target += sign g. Rows of g are `width` apart.
inline void add_rows(double sign, const double* __restrict g, long width, int n, double* __restrict target, long stride) {
  double* __restrict y = target + stride;
  double* __restrict z = y + stride;
  for (int m = 0; m < n; ++m) {
    target[m] += sign * g[m];
    y[m] += sign * g[width + m];
    z[m] += sign * g[2 * width + m];
  }
}

// virial −= r ⊗ g
inline void add_virial(const double* vector, const double* __restrict g, long width, int n, double* __restrict virial, long stride) {
  const double rx = vector[0], ry = vector[1], rz = vector[2];
  const double* __restrict gy = g + width;
  const double* __restrict gz = gy + width;
  for (int m = 0; m < n; ++m) {
    virial[m] -= rx * g[m];
    virial[stride + m] -= ry * gy[m];
    virial[2 * stride + m] -= rz * gz[m];
    virial[3 * stride + m] -= rz * gy[m];
    virial[4 * stride + m] -= rz * g[m];
    virial[5 * stride + m] -= ry * g[m];
  }
}

// Rows of J · Λz of one pair from column `first` on, in double precision.
struct Contraction {
  const double *x, *y, *z;
};

inline Contraction contraction_of(const RowCentre&, const RowPairOf<double>& pair, int first, int, double (*)[piece]) {
  const double* x = pair.contraction + first;
  return {x, x + pair.stride, x + 2 * pair.stride};
}

// NOLINTNEXTLINE(modernize-use-using)
typedef float HalfPack __attribute__((vector_size(GAPKIT_PACK_BYTES / 2), aligned(sizeof(float)), may_alias));

// The part in single precision and the leading directions. Reads up to seven numbers beyond the columns.
inline Contraction contraction_of(const RowCentre& centre, const RowPairOf<float>& pair, int first, int n,
                                  double (*__restrict sum)[piece]) {
  const float* rest = pair.contraction + first;
  const double* direction = centre.leading + first;
  for (int m = 0; m < n; m += W) {
    Pack points[leading_directions];
    for (int d = 0; pair.leading && d < leading_directions; ++d) points[d] = GAPKIT_LOAD(direction + d * centre.leading_stride + m);
    for (int a = 0; a < 3; ++a) {
      Pack total = __builtin_convertvector(*reinterpret_cast<const HalfPack*>(rest + a * pair.stride + m), Pack);
      for (int d = 0; pair.leading && d < leading_directions; ++d) total += pair.leading[a * leading_directions + d] * points[d];
      lanes::store(sum[a] + m, total);
    }
  }
  return {sum[0], sum[1], sum[2]};
}

// The rows g_α of one pair in columns first … first + n − 1. `along` is scratch: zero where there are no radial directions.
template <class Real>
inline void fill_gradient(const RowCentre& centre, const RowPairOf<Real>& pair, int first, int n, double* __restrict along,
                          double (*__restrict g)[piece]) {
  const double f = centre.covariance_cutoff;
  const double* __restrict slope = centre.slope + first;
  const double* __restrict value = centre.value + first;
  double contraction[3][piece];
  const Contraction c = contraction_of(centre, pair, first, n, contraction);
  const double* __restrict cx = c.x;
  const double* __restrict cy = c.y;
  const double* __restrict cz = c.z;
  const double px = pair.projection[0], py = pair.projection[1], pz = pair.projection[2];
  const double h = centre.own_slope ? 0 : 1;
  const double tx = h * pair.own_contraction[0], ty = h * pair.own_contraction[1], tz = h * pair.own_contraction[2];
  const double dx = pair.cutoff_gradient[0], dy = pair.cutoff_gradient[1], dz = pair.cutoff_gradient[2];
  const double ux = pair.unit[0], uy = pair.unit[1], uz = pair.unit[2];
  for (int m = 0; m < n && pair.radial_count > 0; m += W) {
    Pack sum = {};
    const double* directions = centre.along + first + m;
    for (int d = 0; d < pair.radial_count; ++d) sum += pair.radial[d] * GAPKIT_LOAD(directions + d * pair.stride);
    lanes::store(along + m, sum);
  }
  if (centre.inner) {
    const double* __restrict inner = centre.inner + first;
    for (int m = 0; m < n; ++m) {
      const double s = f * slope[m];
      g[0][m] = s * (cx[m] + ux * along[m] - px * inner[m] - tx) + dx * value[m];
      g[1][m] = s * (cy[m] + uy * along[m] - py * inner[m] - ty) + dy * value[m];
      g[2][m] = s * (cz[m] + uz * along[m] - pz * inner[m] - tz) + dz * value[m];
    }
  } else {
    for (int m = 0; m < n; ++m) {
      const double s = f * slope[m];
      g[0][m] = s * (cx[m] + ux * along[m] - tx) + dx * value[m];
      g[1][m] = s * (cy[m] + uy * along[m] - ty) + dy * value[m];
      g[2][m] = s * (cz[m] + uz * along[m] - tz) + dz * value[m];
    }
  }
  if (!centre.own_slope) return;
  const double* __restrict own = centre.own_slope + first;
  const double fx = f * pair.own_contraction[0], fy = f * pair.own_contraction[1], fz = f * pair.own_contraction[2];
  for (int m = 0; m < n; ++m) {
    g[0][m] += fx * own[m];
    g[1][m] += fy * own[m];
    g[2][m] += fz * own[m];
  }
}

template <class Real>
void add_pairs(const RowCentre& centre, const RowPairOf<Real>* pairs, int pair_count, const RowColumns& columns) {
  double g[3][piece], sum[3][piece], along[piece] = {};
  double* const virial = columns.virial;
  const long stride = columns.stride;
  for (int first = columns.first; first < columns.first + columns.count; first += piece) {
    const int rest = columns.first + columns.count - first, n = rest < piece ? rest : piece;
    for (int a = 0; a < 3; ++a)
      for (int m = 0; m < n; ++m) sum[a][m] = 0;
    for (const RowPairOf<Real>* pair = pairs; pair < pairs + pair_count; ++pair) {
      // The contraction is larger than the second-level cache, and the processor does not predict jumps from row to row.
      if (pair + 1 < pairs + pair_count)
        for (int a = 0; a < 3; ++a)
          for (int m = 0; m < n; m += W) __builtin_prefetch((pair + 1)->contraction + a * pair->stride + first + m);
      fill_gradient(centre, *pair, first, n, along, g);
      if (pair->moves_centre) add_rows(1, g[0], piece, n, sum[0], piece);
      if (pair->force) add_rows(-1, g[0], piece, n, pair->force + first, stride);
      if (virial) add_virial(pair->vector, g[0], piece, n, virial + first, stride);
    }
    if (centre.force) add_rows(1, sum[0], piece, n, centre.force + first, stride);
  }
}

// In one pass, because a Jacobian is larger than the second-level cache.
void copy_to_single(const JacobianRows& rows) {
  for (int r = 0; r < rows.count; ++r) {
    const double* __restrict j = rows.values + r * rows.stride;
    float* __restrict copy = rows.copy + static_cast<long>(r) * rows.columns;
    if (!rows.directions) {
      for (int c = 0; c < rows.columns; ++c) copy[c] = static_cast<float>(j[c]);
      continue;
    }
    Pack sums[leading_directions] = {};
    int c = 0;
    for (; c + W <= rows.columns; c += W) {
      const Pack value = GAPKIT_LOAD(j + c);
      *reinterpret_cast<HalfPack*>(copy + c) = __builtin_convertvector(value, HalfPack);
      for (int d = 0; d < leading_directions; ++d)
        sums[d] += value * GAPKIT_LOAD(rows.directions + d * static_cast<long>(rows.columns) + c);
    }
    for (int i = c; i < rows.columns; ++i) copy[i] = static_cast<float>(j[i]);
    for (int d = 0; d < leading_directions; ++d) {
      double total = 0;
      for (int i = 0; i < W; ++i) total += sums[d][i];
      for (int i = c; i < rows.columns; ++i) total += j[i] * rows.directions[d * static_cast<long>(rows.columns) + i];
      rows.leading[r * leading_directions + d] = total;
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
    const double x = own ? 0 : e.own_point[d], f = e.covariance_cutoff, along = f * e.own_point[d];
    for (int m = 0; m < count; ++m) g[d][m] = f * slope[m] * (z[m] - x);
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

void add_gradient(const double* gradient, const double* vector, int count, const RowTarget& target) {
  constexpr int width = widest_environment_tile;
  if (target.force_j) add_rows(-1, gradient, width, count, target.force_j, target.stride);
  if (target.force_i) add_rows(1, gradient, width, count, target.force_i, target.stride);
  if (target.virial) add_virial(vector, gradient, width, count, target.virial, target.stride);
}

}  // namespace

extern const RowLoops GAPKIT_LOOPS;
const RowLoops GAPKIT_LOOPS = {add_pairs<double>, add_pairs<float>, copy_to_single, add_environment, add_gradient};

}  // namespace gapkit
