// Included by soap_loops_*.cpp, each of which sets GAPKIT_LOOPS to its name and is compiled for its own instruction set. No headers
// with inline functions here: a linker could keep their AVX-512 version for everybody.

#include "descriptors/soap_loops.hpp"
#include "math/spherical_harmonics_lanes.hpp"

namespace gapkit {
namespace {

constexpr int W = soap_lanes;
static_assert(W == harmonics::lanes);
constexpr double sqrt_2 = 1.4142135623730950488016887242097;

double square_root(double v) {
  return __builtin_sqrt(v);
}

void radial(const double* __restrict rows, const double* __restrict w, const double* __restrict d, int count, double fc, double dfc,
            double* __restrict value, double* __restrict slope) {
  const double* r0 = rows;
  const double* r1 = r0 + count;
  const double* r2 = r1 + count;
  const double* r3 = r2 + count;
  const double* r4 = r3 + count;
  const double* r5 = r4 + count;
  if (!slope) {
    for (int i = 0; i < count; ++i)
      value[i] = fc * (w[0] * r0[i] + w[1] * r1[i] + w[2] * r2[i] + w[3] * r3[i] + w[4] * r4[i] + w[5] * r5[i]);
    return;
  }
  for (int i = 0; i < count; ++i) {
    const double g = w[0] * r0[i] + w[1] * r1[i] + w[2] * r2[i] + w[3] * r3[i] + w[4] * r4[i] + w[5] * r5[i];
    const double dg = d[0] * r0[i] + d[1] * r1[i] + d[2] * r2[i] + d[3] * r3[i] + d[4] * r4[i] + d[5] * r5[i];
    value[i] = fc * g;
    slope[i] = dfc * g + fc * dg;
  }
}

void evaluate_harmonics(int l_max, const double* prefactor, const double* x, const double* y, const double* z, double* value,
                        double* gradient) {
  harmonics::evaluate(l_max, prefactor, x, y, z, value, gradient);
}

void accumulate(int l_max, int n_max, int channels, int offset, int pairs, const double* __restrict y,
                const double* __restrict radial_values, double* __restrict c) {
  const int count = n_max * (l_max + 1);
  for (int l = 0; l <= l_max; ++l)
    for (int lm = l * l; lm < (l + 1) * (l + 1); ++lm) {
      double* row = c + lm * channels + offset;
      for (int k = 0; k < pairs; ++k) {
        const double ylm = y[lm * W + k];
        const double* r = radial_values + k * count + l * n_max;
        for (int n = 0; n < n_max; ++n) row[n] += ylm * r[n];
      }
    }
}

double power_spectrum(int l_max, int channels, const double* __restrict c, double* __restrict p) {
  const int terms = l_max + 1;
  double norm = 0;
  for (int l = 0; l <= l_max; ++l) {
    const double w = 1 / square_root(2 * l + 1);
    const double* cl = c + l * l * channels;
    for (int a = 0; a < channels; ++a) {
      double* out = p + a * (a + 1) / 2 * terms + l;
      for (int b = 0; b <= a; ++b) {
        double sum = 0;
        for (int m = 0; m < 2 * l + 1; ++m) sum += cl[m * channels + a] * cl[m * channels + b];
        sum *= a == b ? w : sqrt_2 * w;
        out[b * terms] = sum;
        norm += sum * sum;
      }
    }
  }
  return norm;
}

void coefficient_gradient(int l_max, int channels, const double* __restrict c, const double* __restrict dE_dp,
                          double* __restrict gradient) {
  const int terms = l_max + 1;
  for (int l = 0; l <= l_max; ++l) {
    const double w = 1 / square_root(2 * l + 1);
    const double* cl = c + l * l * channels;
    double* gl = gradient + l * l * channels;
    const int rows = 2 * l + 1;
    for (int i = 0; i < rows * channels; ++i) gl[i] = 0;
    for (int a = 0; a < channels; ++a) {
      const double* in = dE_dp + a * (a + 1) / 2 * terms + l;
      for (int b = 0; b <= a; ++b) {
        const double g = in[b * terms] * (a == b ? w : sqrt_2 * w);
        for (int m = 0; m < rows; ++m) {
          gl[m * channels + a] += g * cl[m * channels + b];
          gl[m * channels + b] += g * cl[m * channels + a];
        }
      }
    }
  }
}

void pair_gradient(int l_max, int n_max, int channels, int offset, int pairs, const double* __restrict dE_dc, const double* __restrict y,
                   const double* __restrict dy, const double* __restrict radial_values, const double* __restrict slope,
                   const double* __restrict ux, const double* __restrict uy, const double* __restrict uz,
                   const double* __restrict inverse_r, double* __restrict out) {
  const int count = n_max * (l_max + 1);
  const int nl = (l_max + 1) * (l_max + 1);
  double along[W] = {}, gx[W] = {}, gy[W] = {}, gz[W] = {};
  double r[64 * W], s[64 * W];  // one l at a time, [n][lane]
  for (int l = 0; l <= l_max; ++l) {
    for (int n0 = 0; n0 < n_max; n0 += 64) {
      const int n1 = n_max - n0 < 64 ? n_max - n0 : 64;
      for (int n = 0; n < n1; ++n)
        for (int k = 0; k < W; ++k) {
          const int i = (k < pairs ? k : 0) * count + l * n_max + n0 + n;
          r[n * W + k] = radial_values[i];
          s[n * W + k] = slope[i];
        }
      for (int lm = l * l; lm < (l + 1) * (l + 1); ++lm) {
        const double* h = dE_dc + lm * channels + offset + n0;
        double q[W] = {}, dq[W] = {};
        for (int n = 0; n < n1; ++n)
          for (int k = 0; k < W; ++k) {
            q[k] += h[n] * r[n * W + k];
            dq[k] += h[n] * s[n * W + k];
          }
        for (int k = 0; k < W; ++k) {
          along[k] += dq[k] * y[lm * W + k];
          gx[k] += q[k] * dy[lm * W + k];
          gy[k] += q[k] * dy[(nl + lm) * W + k];
          gz[k] += q[k] * dy[(2 * nl + lm) * W + k];
        }
      }
    }
  }
  for (int k = 0; k < pairs; ++k) {
    out[k] += along[k] * ux[k] + gx[k] * inverse_r[k];
    out[W + k] += along[k] * uy[k] + gy[k] * inverse_r[k];
    out[2 * W + k] += along[k] * uz[k] + gz[k] * inverse_r[k];
  }
}

// dp(a,b,l)/dr_α = w Σ_m [dc_alm/dr_α c_blm + c_alm dc_blm/dr_α], dc_nlm/dr_α = R'_nl r̂_α Y_lm + R_nl ∂_αY_lm / r. Summed over m first:
//     v_bl = Σ_m Y_lm c_blm,  u_αbl = Σ_m (∂_αY_lm / r) c_blm   →   A_α(a,b,l) = (R'_al r̂_α) v_bl + R_al u_αbl
// A(a,b) counts if channel a belongs to the neighbour's species, A(b,a) if b does.
void jacobian(int l_max, int n_max, int channels, int offset, int lane, const double* __restrict c, const double* __restrict y,
              const double* __restrict dy, const double* __restrict radial_values, const double* __restrict slope, const double* unit,
              double inverse_r, double scale, const double* __restrict x_block, int columns, double* __restrict rows,
              double* __restrict projection, double* __restrict scratch) {
  const int terms = l_max + 1, count = n_max * terms, nl = terms * terms, size = channels * terms;
  double* v = scratch;             // [b][l]
  double* u = v + size;            // [α][b][l]
  double* sum = u + 3 * size;      // [4][K]: one l at a time
  double* r = sum + 4 * channels;  // [n][l], with the weight of l and the scale
  double* dr = r + count;
  for (int l = 0; l <= l_max; ++l) {
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
      v[b * terms + l] = sum[b];
      u[b * terms + l] = sum[channels + b];
      u[size + b * terms + l] = sum[2 * channels + b];
      u[2 * size + b * terms + l] = sum[3 * channels + b];
    }
    for (int n = 0; n < n_max; ++n) {
      r[n * terms + l] = w * radial_values[l * n_max + n];
      dr[n * terms + l] = w * slope[l * n_max + n];
    }
  }
  double* row0 = rows;
  double* row1 = rows + columns;
  double* row2 = rows + 2 * static_cast<long>(columns);
  double p0 = 0, p1 = 0, p2 = 0;
  const double e0 = unit[0], e1 = unit[1], e2 = unit[2];
  int column = 0;
  for (int a = 0; a < channels; ++a) {
    const bool a_in = a >= offset && a < offset + n_max;
    const double* va = v + a * terms;
    const double* ua = u + a * terms;
    for (int b = 0; b <= a; ++b) {
      const bool b_in = b >= offset && b < offset + n_max;
      if (!a_in && !b_in) continue;
      const double* vb = v + b * terms;
      const double* ub = u + b * terms;
      double* o0 = row0 + column;
      double* o1 = row1 + column;
      double* o2 = row2 + column;
      const double* xs = x_block + column;
      if (a_in && b_in) {
        const double f = a == b ? 1.0 : sqrt_2;
        const double* ra = r + (a - offset) * terms;
        const double* da = dr + (a - offset) * terms;
        const double* rb = r + (b - offset) * terms;
        const double* db = dr + (b - offset) * terms;
        for (int l = 0; l < terms; ++l) {
          const double along = da[l] * vb[l] + db[l] * va[l];
          o0[l] = f * (e0 * along + ra[l] * ub[l] + rb[l] * ua[l]);
          o1[l] = f * (e1 * along + ra[l] * ub[size + l] + rb[l] * ua[size + l]);
          o2[l] = f * (e2 * along + ra[l] * ub[2 * size + l] + rb[l] * ua[2 * size + l]);
        }
      } else {
        const int own = a_in ? a - offset : b - offset;
        const double* ro = r + own * terms;
        const double* dro = dr + own * terms;
        const double* vo = a_in ? vb : va;
        const double* uo = a_in ? ub : ua;
        for (int l = 0; l < terms; ++l) {
          const double along = dro[l] * vo[l];
          o0[l] = sqrt_2 * (e0 * along + ro[l] * uo[l]);
          o1[l] = sqrt_2 * (e1 * along + ro[l] * uo[size + l]);
          o2[l] = sqrt_2 * (e2 * along + ro[l] * uo[2 * size + l]);
        }
      }
      for (int l = 0; l < terms; ++l) {
        p0 += xs[l] * o0[l];
        p1 += xs[l] * o1[l];
        p2 += xs[l] * o2[l];
      }
      column += terms;
    }
  }
  projection[0] = p0;
  projection[1] = p1;
  projection[2] = p2;
}

}  // namespace

extern const SoapLoops GAPKIT_LOOPS;
const SoapLoops GAPKIT_LOOPS = {GAPKIT_LOOPS_NAME, radial,  evaluate_harmonics, accumulate, power_spectrum, coefficient_gradient,
                                pair_gradient,     jacobian};

}  // namespace gapkit
