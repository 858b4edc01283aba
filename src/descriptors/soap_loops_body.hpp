// Included by soap_loops_*.cpp, each of which sets GAPKIT_LOOPS to its name and is compiled for its own instruction set. No headers
// with inline functions here: a linker could keep the AVX-512 version for all processors.

#include <gapkit/math/lanes.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>

#include "descriptors/soap_loops.hpp"
#include "descriptors/soap_packs_body.hpp"
#include "descriptors/soap_spectrum_body.hpp"

namespace gapkit {
namespace {

using lanes::Pack;
using lanes::store;
constexpr int W = lanes::width, S = soap_lanes;
static_assert(S == harmonics::lanes);
constexpr double sqrt_2 = 1.4142135623730950488016887242097;

double square_root(double v) {
  return __builtin_sqrt(v);
}

void radial(const double* __restrict rows, const double* __restrict w, const double* __restrict d, int count, double* __restrict value,
            double* __restrict slope) {
  const double* r0 = rows;
  const double* r1 = r0 + count;
  const double* r2 = r1 + count;
  const double* r3 = r2 + count;
  const double* r4 = r3 + count;
  const double* r5 = r4 + count;
  if (!slope) {
    for (int i = 0; i < count; ++i) value[i] = w[0] * r0[i] + w[1] * r1[i] + w[2] * r2[i] + w[3] * r3[i] + w[4] * r4[i] + w[5] * r5[i];
    return;
  }
  for (int i = 0; i < count; ++i) {
    value[i] = w[0] * r0[i] + w[1] * r1[i] + w[2] * r2[i] + w[3] * r3[i] + w[4] * r4[i] + w[5] * r5[i];
    slope[i] = d[0] * r0[i] + d[1] * r1[i] + d[2] * r2[i] + d[3] * r3[i] + d[4] * r4[i] + d[5] * r5[i];
  }
}

void evaluate_harmonics(int l_max, const double* prefactor, const harmonics::Directions& directions, double* value, double* gradient) {
  harmonics::evaluate(l_max, prefactor, directions, value, gradient);
}

// Sums over m of one pair, and its radial functions. Arrays are [channel][l] with l = 1 first.
struct PairSums {
  int terms;           // l_max
  int size;            // of v: channels · terms
  double* v;           // Σ_m Y_lm c_blm
  double* u;           // three times as long, [α][b][l]: Σ_m (∂_αY_lm / r) c_blm
  double* r;           // [n][l]: R_nl with the weight of l and the scale
  double* dr;          // the same of R'_nl
  const double* unit;  // r̂
};

// sum[j][b] += y[j] row[b] for j < 4
inline void add_products(const double y[4], const double* __restrict row, int channels, double* __restrict sum) {
  const double y0 = y[0], y1 = y[1], y2 = y[2], y3 = y[3];
  for (int b = 0; b < channels; ++b) {
    sum[b] += y0 * row[b];
    sum[channels + b] += y1 * row[b];
    sum[2 * channels + b] += y2 * row[b];
    sum[3 * channels + b] += y3 * row[b];
  }
}

// `sum` is scratch, [4][K], for one l at a time.
void contract(const SoapPairs& pairs, int lane, const SoapCoefficients& coefficients, double scale, const PairSums& out, double* sum) {
  const int l_max = pairs.l_max, n_max = pairs.n_max, channels = pairs.channels, terms = out.terms, size = out.size;
  const int nl = (l_max + 1) * (l_max + 1), first = lane * n_max * (l_max + 1);
  const double *y = pairs.harmonics + lane, *dy = pairs.harmonics_gradient + lane;
  const double inverse_r = pairs.inverse_r[lane];
  for (int l = 1; l <= l_max; ++l) {
    for (int i = 0; i < 4 * channels; ++i) sum[i] = 0;
    for (int lm = l * l; lm < (l + 1) * (l + 1); ++lm) {
      const double factors[4] = {y[lm * S], dy[lm * S] * inverse_r, dy[(nl + lm) * S] * inverse_r, dy[(2 * nl + lm) * S] * inverse_r};
      add_products(factors, coefficients.c + lm * channels, channels, sum);
    }
    for (int b = 0; b < channels; ++b) {
      double* vl = out.v + b * terms + l - 1;
      double* ul = out.u + b * terms + l - 1;
      vl[0] = sum[b];
      ul[0] = sum[channels + b];
      ul[size] = sum[2 * channels + b];
      ul[2 * size] = sum[3 * channels + b];
    }
    const double w = scale / square_root(2 * l + 1);
    for (int n = 0; n < n_max; ++n) {
      out.r[n * terms + l - 1] = w * pairs.radial[first + l * n_max + n];
      out.dr[n * terms + l - 1] = w * pairs.slope[first + l * n_max + n];
    }
  }
}

// The columns of one pair of channels: three rows, x at the same features, and the sums of their products so far.
struct JacobianColumns {
  double* out[3];
  const double* x;
  int length;
  Pack packs[3];
  double rest[3];
};

// Channels a and b both belong to the neighbour's species, whose first channel is `offset`.
inline __attribute__((always_inline)) void write_both(const PairSums& p, int a, int b, int offset, JacobianColumns& columns) {
  const double f = a == b ? 1.0 : sqrt_2;
  const double *ra = p.r + (a - offset) * p.terms, *da = p.dr + (a - offset) * p.terms;
  const double *rb = p.r + (b - offset) * p.terms, *db = p.dr + (b - offset) * p.terms;
  const double *va = p.v + a * p.terms, *ua = p.u + a * p.terms;
  const double *vb = p.v + b * p.terms, *ub = p.u + b * p.terms;
  int l = 0;
  for (; l + W <= columns.length; l += W) {
    const Pack along = GAPKIT_LOAD(da + l) * GAPKIT_LOAD(vb + l) + GAPKIT_LOAD(db + l) * GAPKIT_LOAD(va + l);
    const Pack fa = GAPKIT_LOAD(ra + l), fb = GAPKIT_LOAD(rb + l), x = GAPKIT_LOAD(columns.x + l);
    for (int k = 0; k < 3; ++k) {
      const Pack value = f * (p.unit[k] * along + fa * GAPKIT_LOAD(ub + k * p.size + l) + fb * GAPKIT_LOAD(ua + k * p.size + l));
      store(columns.out[k] + l, value);
      columns.packs[k] += x * value;
    }
  }
  for (; l < columns.length; ++l) {
    const double along = da[l] * vb[l] + db[l] * va[l];
    for (int k = 0; k < 3; ++k) {
      const double value = f * (p.unit[k] * along + ra[l] * ub[k * p.size + l] + rb[l] * ua[k * p.size + l]);
      columns.out[k][l] = value;
      columns.rest[k] += columns.x[l] * value;
    }
  }
}

// Only one channel belongs to the neighbour's species: `own`, counted from the first of the species. `other` is counted from 0.
inline __attribute__((always_inline)) void write_one(const PairSums& p, int own, int other, JacobianColumns& columns) {
  const double *ro = p.r + own * p.terms, *dro = p.dr + own * p.terms;
  const double *vo = p.v + other * p.terms, *uo = p.u + other * p.terms;
  int l = 0;
  for (; l + W <= columns.length; l += W) {
    const Pack along = sqrt_2 * GAPKIT_LOAD(dro + l) * GAPKIT_LOAD(vo + l), fo = sqrt_2 * GAPKIT_LOAD(ro + l);
    const Pack x = GAPKIT_LOAD(columns.x + l);
    for (int k = 0; k < 3; ++k) {
      const Pack value = p.unit[k] * along + fo * GAPKIT_LOAD(uo + k * p.size + l);
      store(columns.out[k] + l, value);
      columns.packs[k] += x * value;
    }
  }
  for (; l < columns.length; ++l) {
    const double along = sqrt_2 * dro[l] * vo[l];
    for (int k = 0; k < 3; ++k) {
      const double value = p.unit[k] * along + sqrt_2 * ro[l] * uo[k * p.size + l];
      columns.out[k][l] = value;
      columns.rest[k] += columns.x[l] * value;
    }
  }
}

// dp(a,b,l)/dr_α = w Σ_m [dc_alm/dr_α c_blm + c_alm dc_blm/dr_α], dc_nlm/dr_α = R'_nl r̂_α Y_lm + R_nl ∂_αY_lm / r. Summed over m first:
//     v_bl = Σ_m Y_lm c_blm,  u_αbl = Σ_m (∂_αY_lm / r) c_blm   →   A_α(a,b,l) = (R'_al r̂_α) v_bl + R_al u_αbl
// A(a,b) counts if channel a belongs to the neighbour's species, A(b,a) if b does.
void jacobian(const SoapPairs& pairs, int lane, const SoapCoefficients& coefficients, const SoapRows& result) {
  const int n_max = pairs.n_max, channels = pairs.channels, offset = pairs.offset, size = channels * pairs.l_max;
  const double unit[3] = {pairs.direction.x[lane], pairs.direction.y[lane], pairs.direction.z[lane]};
  double* u = result.scratch + size;
  double* sum = u + 3 * size;
  double* r = sum + 4 * channels;
  const PairSums sums = {pairs.l_max, size, result.scratch, u, r, r + n_max * pairs.l_max, unit};
  contract(pairs, lane, coefficients, result.scale, sums, sum);
  const int* last = coefficients.last;
  const long stride = result.columns;
  JacobianColumns columns = {{result.rows, result.rows + stride, result.rows + 2 * stride}, result.x, 0, {}, {}};
  for (int a = 0, pair = 0; a < channels; ++a) {
    const bool a_in = a >= offset && a < offset + n_max;
    for (int b = 0; b <= a; ++b, ++pair) {
      const bool b_in = b >= offset && b < offset + n_max;
      if (!a_in && !b_in) continue;
      columns.length = last[pair];
      if (a_in && b_in)
        write_both(sums, a, b, offset, columns);
      else if (a_in)
        write_one(sums, a - offset, b, columns);
      else
        write_one(sums, b - offset, a, columns);
      for (double*& out : columns.out) out += columns.length;
      columns.x += columns.length;
    }
  }
  for (int k = 0; k < 3; ++k) {
    double projection = columns.rest[k];
    for (int i = 0; i < W; ++i) projection += columns.packs[k][i];
    result.projection[k] = projection;
  }
}

}  // namespace

extern const SoapLoops GAPKIT_LOOPS;
const SoapLoops GAPKIT_LOOPS = {GAPKIT_LOOPS_NAME, radial, evaluate_harmonics, jacobian, packs<double>, packs<float>, spectrum_loops};

}  // namespace gapkit
