// Included by soap_loops_*.cpp, each of which sets GAPKIT_LOOPS to its name and is compiled for its own instruction set. No headers
// with inline functions here: a linker could keep their AVX-512 version for everybody.

#include <gapkit/math/lanes.hpp>
#include <gapkit/math/spherical_harmonics_lanes.hpp>

#include "descriptors/soap_loops.hpp"

namespace gapkit {
namespace {

using lanes::Pack;
using lanes::store;
constexpr int W = soap_lanes;
static_assert(W == lanes::width);
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

void evaluate_harmonics(int l_max, const double* prefactor, const double* x, const double* y, const double* z, double* value,
                        double* gradient) {
  harmonics::evaluate(l_max, prefactor, x, y, z, value, gradient);
}

// Transposes 8 × 8 numbers in three exchanges of ever larger blocks.
inline void transpose(Pack r[W]) {
  Pack t[W], u[W];
  for (int i = 0; i < W; i += 2) {
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < W; i += 4)
    for (int j = i; j < i + 2; ++j) {
      u[j] = __builtin_shufflevector(t[j], t[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      u[j + 2] = __builtin_shufflevector(t[j], t[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < W / 2; ++i) {
    r[i] = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

void radial_lanes(const double* const* rows, const double (*weight)[6], const double (*derivative)[6], int count, double* value,
                  double* slope) {
  for (int first = 0; first < count; first += W) {
    Pack v[W], s[W];
    for (int k = 0; k < W; ++k) {
      const double* row = rows[k] + first;
      v[k] = Pack{};
      s[k] = Pack{};
      for (int j = 0; j < 6; ++j, row += count) {
        const Pack knot = GAPKIT_LOAD(row);
        v[k] += weight[k][j] * knot;
        s[k] += derivative[k][j] * knot;
      }
    }
    transpose(v);
    transpose(s);
    for (int i = 0; i < W; ++i) {
      store(value + (first + i) * W, v[i]);
      store(slope + (first + i) * W, s[i]);
    }
  }
}

void accumulate(int l_max, int n_max, int channels, int offset, int pairs, const double* y, const double* radial_values, double* c) {
  const int count = n_max * (l_max + 1);
  for (int first = 0; first < n_max; first += W) {
    const int width = n_max - first < W ? n_max - first : W;
    for (int l = 0; l <= l_max; ++l) {
      const double* r = radial_values + l * n_max + first;
      for (int lm = l * l; lm < (l + 1) * (l + 1); ++lm) {
        Pack sum = {};
        for (int k = 0; k < pairs; ++k) sum += y[lm * W + k] * GAPKIT_LOAD(r + k * count);
        double* row = c + lm * channels + offset + first;
        if (width == W) {
          sum += GAPKIT_LOAD(row);
          store(row, sum);
        } else {
          for (int n = 0; n < width; ++n) row[n] += sum[n];
        }
      }
    }
  }
}

double power_spectrum(int l_max, int channels, const SoapFeatures& features, const double* __restrict c, double* __restrict p) {
  constexpr int tile = 4;
  double norm = 0;
  for (int l = 0; l <= l_max; ++l) {
    const int rows = 2 * l + 1;
    const double w = 1 / square_root(rows);
    const double* cl = c + l * l * channels;
    const int* first = l == 0 ? features.zero : features.higher;
    const int position = l == 0 ? 0 : l - 1;
    for (int a0 = 0; a0 < channels; a0 += tile) {
      const int height = channels - a0 < tile ? channels - a0 : tile;
      for (int b0 = 0; b0 < a0 + height; b0 += W) {
        Pack sum[tile] = {};
        for (int m = 0; m < rows; ++m) {
          const Pack right = GAPKIT_LOAD(cl + m * channels + b0);
          for (int a = 0; a < tile; ++a) sum[a] += cl[m * channels + a0 + a] * right;  // rows beyond the last channel are not used
        }
        for (int a = 0; a < height; ++a) {
          const int row = a0 + a, last = row - b0 < W - 1 ? row - b0 : W - 1;
          const int pair = row * (row + 1) / 2 + b0;
          double values[W];
          store(values, sum[a]);
          for (int b = 0; b <= last; ++b) {
            const double value = values[b] * (b0 + b == row ? w : sqrt_2 * w);
            if (l > features.last[pair + b]) continue;
            p[first[pair + b] + position] = value;
            norm += value * value;
          }
        }
      }
    }
  }
  return norm;
}

void coefficient_gradient(int l_max, int channels, const SoapFeatures& features, const double* __restrict c, const double* __restrict dE_dp,
                          double* __restrict gradient, double* __restrict scratch) {
  const int stride = (channels + W - 1) / W * W;
  for (int l = 0; l <= l_max; ++l) {
    const int rows = 2 * l + 1;
    const double w = 1 / square_root(rows);
    const double* cl = c + l * l * channels;
    double* gl = gradient + l * l * channels;
    const int* first = l == 0 ? features.zero : features.higher;
    const int position = l == 0 ? 0 : l - 1;
    for (int a = 0; a < channels; ++a) {
      const int pair = a * (a + 1) / 2;
      for (int b = 0; b <= a; ++b) {
        const double in = l <= features.last[pair + b] ? dE_dp[first[pair + b] + position] : 0.0;
        scratch[a * stride + b] = scratch[b * stride + a] = (b < a ? sqrt_2 : 2.0) * w * in;
      }
    }
    // Whole packs are written: what goes beyond a row is overwritten by the next one, beyond the last there is room.
    for (int m = 0; m < rows; ++m)
      for (int b = 0; b < channels; b += W) {
        Pack sum = {};
        for (int a = 0; a < channels; ++a) sum += cl[m * channels + a] * GAPKIT_LOAD(scratch + a * stride + b);
        store(gl + m * channels + b, sum);
      }
  }
}

void pair_gradient(int l_max, int n_max, int channels, int offset, const double* __restrict dE_dc, const double* __restrict y,
                   const double* __restrict dy, const double* __restrict radial_values, const double* __restrict slope, const double* ux,
                   const double* uy, const double* uz, const double* inverse_r, double* __restrict out) {
  const int nl = (l_max + 1) * (l_max + 1);
  Pack along = {}, gx = {}, gy = {}, gz = {};
  const auto add = [&](int lm, const Pack& q, const Pack& dq) {
    along += dq * GAPKIT_LOAD(y + lm * W);
    gx += q * GAPKIT_LOAD(dy + lm * W);
    gy += q * GAPKIT_LOAD(dy + (nl + lm) * W);
    gz += q * GAPKIT_LOAD(dy + (2 * nl + lm) * W);
  };
  for (int l = 0; l <= l_max; ++l) {
    const double* r = radial_values + l * n_max * W;
    const double* s = slope + l * n_max * W;
    int lm = l * l;
    for (; lm + 1 < (l + 1) * (l + 1); lm += 2) {  // two at a time share the loads of r and s
      const double* h = dE_dc + lm * channels + offset;
      Pack q0 = {}, d0 = {}, q1 = {}, d1 = {};
      for (int n = 0; n < n_max; ++n) {
        const Pack rn = GAPKIT_LOAD(r + n * W), sn = GAPKIT_LOAD(s + n * W);
        q0 += h[n] * rn;
        d0 += h[n] * sn;
        q1 += h[channels + n] * rn;
        d1 += h[channels + n] * sn;
      }
      add(lm, q0, d0);
      add(lm + 1, q1, d1);
    }
    const double* h = dE_dc + lm * channels + offset;
    Pack q = {}, d = {};
    for (int n = 0; n < n_max; ++n) {
      q += h[n] * GAPKIT_LOAD(r + n * W);
      d += h[n] * GAPKIT_LOAD(s + n * W);
    }
    add(lm, q, d);
  }
  const Pack inverse = GAPKIT_LOAD(inverse_r);
  store(out, along * GAPKIT_LOAD(ux) + gx * inverse);
  store(out + W, along * GAPKIT_LOAD(uy) + gy * inverse);
  store(out + 2 * W, along * GAPKIT_LOAD(uz) + gz * inverse);
}

template <class Number>
struct JacobianSums {
  Number sum[3];
};

// dp(a,b,l)/dr_α = w Σ_m [dc_alm/dr_α c_blm + c_alm dc_blm/dr_α], dc_nlm/dr_α = R'_nl r̂_α Y_lm + R_nl ∂_αY_lm / r. Summed over m first:
//     v_bl = Σ_m Y_lm c_blm,  u_αbl = Σ_m (∂_αY_lm / r) c_blm   →   A_α(a,b,l) = (R'_al r̂_α) v_bl + R_al u_αbl
// A(a,b) counts if channel a belongs to the neighbour's species, A(b,a) if b does. In the scratch l = 1 is the first.
void jacobian(int l_max, int n_max, int channels, const SoapFeatures& features, int offset, int lane, const double* __restrict c,
              const double* __restrict y, const double* __restrict dy, const double* __restrict radial_values,
              const double* __restrict slope, const double* unit, double inverse_r, double scale, const double* __restrict x_block,
              int columns, double* __restrict rows, double* __restrict projection, double* __restrict scratch) {
  const int terms = l_max, count = n_max * terms, nl = (l_max + 1) * (l_max + 1), size = channels * terms;
  double* v = scratch;             // [b][l]
  double* u = v + size;            // [α][b][l]
  double* sum = u + 3 * size;      // [4][K]: one l at a time
  double* r = sum + 4 * channels;  // [n][l], with the weight of l and the scale
  double* dr = r + count;
  for (int l = 1; l <= l_max; ++l) {
    for (int i = 0; i < 4 * channels; ++i) sum[i] = 0;
    for (int lm = l * l; lm < (l + 1) * (l + 1); ++lm) {
      const double y0 = y[lm * W + lane], y1 = dy[lm * W + lane] * inverse_r, y2 = dy[(nl + lm) * W + lane] * inverse_r,
                   y3 = dy[(2 * nl + lm) * W + lane] * inverse_r;
      const double* row = c + lm * channels;
      for (int b = 0; b < channels; ++b) {
        sum[b] += y0 * row[b];
        sum[channels + b] += y1 * row[b];
        sum[2 * channels + b] += y2 * row[b];
        sum[3 * channels + b] += y3 * row[b];
      }
    }
    const double w = scale / square_root(2 * l + 1);
    for (int b = 0; b < channels; ++b) {
      double* vl = v + b * terms + l - 1;
      double* ul = u + b * terms + l - 1;
      vl[0] = sum[b];
      ul[0] = sum[channels + b];
      ul[size] = sum[2 * channels + b];
      ul[2 * size] = sum[3 * channels + b];
    }
    for (int n = 0; n < n_max; ++n) {
      r[n * terms + l - 1] = w * radial_values[l * n_max + n];
      dr[n * terms + l - 1] = w * slope[l * n_max + n];
    }
  }
  double* row0 = rows;
  double* row1 = rows + columns;
  double* row2 = rows + 2 * static_cast<long>(columns);
  JacobianSums<Pack> packs{};
  JacobianSums<double> rest{};
  const double* const e = unit;
  int column = 0;
  for (int a = 0, pair = 0; a < channels; ++a) {
    const bool a_in = a >= offset && a < offset + n_max;
    const double* va = v + a * terms;
    const double* ua = u + a * terms;
    for (int b = 0; b <= a; ++b, ++pair) {
      const bool b_in = b >= offset && b < offset + n_max;
      if (!a_in && !b_in) continue;
      const int length = features.last[pair];
      const double* vb = v + b * terms;
      const double* ub = u + b * terms;
      double* out[3] = {row0 + column, row1 + column, row2 + column};
      const double* xs = x_block + column;
      int l = 0;
      if (a_in && b_in) {
        const double f = a == b ? 1.0 : sqrt_2;
        const double* ra = r + (a - offset) * terms;
        const double* da = dr + (a - offset) * terms;
        const double* rb = r + (b - offset) * terms;
        const double* db = dr + (b - offset) * terms;
        for (; l + W <= length; l += W) {
          const Pack along = GAPKIT_LOAD(da + l) * GAPKIT_LOAD(vb + l) + GAPKIT_LOAD(db + l) * GAPKIT_LOAD(va + l);
          const Pack fa = GAPKIT_LOAD(ra + l), fb = GAPKIT_LOAD(rb + l), x = GAPKIT_LOAD(xs + l);
          for (int k = 0; k < 3; ++k) {
            const Pack value = f * (e[k] * along + fa * GAPKIT_LOAD(ub + k * size + l) + fb * GAPKIT_LOAD(ua + k * size + l));
            store(out[k] + l, value);
            packs.sum[k] += x * value;
          }
        }
        for (; l < length; ++l) {
          const double along = da[l] * vb[l] + db[l] * va[l];
          for (int k = 0; k < 3; ++k) {
            out[k][l] = f * (e[k] * along + ra[l] * ub[k * size + l] + rb[l] * ua[k * size + l]);
            rest.sum[k] += xs[l] * out[k][l];
          }
        }
      } else {
        const int own = a_in ? a - offset : b - offset;
        const double* ro = r + own * terms;
        const double* dro = dr + own * terms;
        const double* vo = a_in ? vb : va;
        const double* uo = a_in ? ub : ua;
        for (; l + W <= length; l += W) {
          const Pack along = sqrt_2 * GAPKIT_LOAD(dro + l) * GAPKIT_LOAD(vo + l), fo = sqrt_2 * GAPKIT_LOAD(ro + l);
          const Pack x = GAPKIT_LOAD(xs + l);
          for (int k = 0; k < 3; ++k) {
            const Pack value = e[k] * along + fo * GAPKIT_LOAD(uo + k * size + l);
            store(out[k] + l, value);
            packs.sum[k] += x * value;
          }
        }
        for (; l < length; ++l) {
          const double along = sqrt_2 * dro[l] * vo[l];
          for (int k = 0; k < 3; ++k) {
            out[k][l] = e[k] * along + sqrt_2 * ro[l] * uo[k * size + l];
            rest.sum[k] += xs[l] * out[k][l];
          }
        }
      }
      column += length;
    }
  }
  for (int k = 0; k < 3; ++k) {
    projection[k] = rest.sum[k];
    for (int i = 0; i < W; ++i) projection[k] += packs.sum[k][i];
  }
}

}  // namespace

extern const SoapLoops GAPKIT_LOOPS;
const SoapLoops GAPKIT_LOOPS = {GAPKIT_LOOPS_NAME,    radial,        radial_lanes, evaluate_harmonics, accumulate, power_spectrum,
                                coefficient_gradient, pair_gradient, jacobian};

}  // namespace gapkit
