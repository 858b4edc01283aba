// Included by soap_loops_*.cpp. Everything has internal linkage.

#include "descriptors/soap_pack_tools.hpp"
#include "descriptors/soap_packs.hpp"

namespace gapkit {
namespace {

constexpr int most_terms = 25;  // l_max + 1

// Radial functions of one l and species, and the first one's column in the tables.
template <class Real>
GAPKIT_INLINE int channels_of(const SoapShape<Real>& shape, int l) {
  return l == 0 ? shape.n_max : shape.n_higher;
}
template <class Real>
GAPKIT_INLINE int first_column(const SoapShape<Real>& shape, int l) {
  return l == 0 ? 0 : shape.n_max + (l - 1) * shape.n_higher;
}

// Memory of expand() for one block of neighbours, or of pull() for one pack of them.
template <class Real, int Slots>
struct BlockMemory {
  Real *radial, *slope;   // [slot][stride], flat over [l][n]
  Real *turned, *slopes;  // the same, transposed: [l n][slot]; only in packs
  Real* angular;          // Y_lm without their factors, or dE/d of them: [lm][slot]
  Real* along;            // [lm][slot]
  Real* coefficients;     // [lm][K]
  int stride;

  BlockMemory(const SoapShape<Real>& shape, Real* memory) {
    const int lm = (shape.l_max + 1) * (shape.l_max + 1);
    stride = padded<Real>(shape.columns) + Packs<Real>::width;
    radial = memory;
    slope = radial + Slots * stride;
    turned = slope + Slots * stride;
    slopes = turned + Slots * stride;
    angular = slopes + Slots * stride;
    along = angular + lm * Slots;
    coefficients = along + lm * Slots;
  }
  static int size(const SoapShape<Real>& shape) {
    const int lm = (shape.l_max + 1) * (shape.l_max + 1), stride = padded<Real>(shape.columns) + Packs<Real>::width;
    return 4 * Slots * stride + 2 * lm * Slots + lm * (sum_width(shape) > shape.channels ? sum_width(shape) : shape.channels) +
           Packs<Real>::width;
  }
  // Numbers of the sums for one lm, and for one species.
  static int sum_width(const SoapShape<Real>& shape) { return shape.channels / shape.n_max * species_width(shape); }
  static int species_width(const SoapShape<Real>& shape) {
    constexpr int N = neighbors_of<Real>, W = Packs<Real>::width;
    return (shape.n_max * N + W - 1) / W * W;
  }
};
template <class Real>
using ExpandMemory = BlockMemory<Real, block_of<Real>>;
template <class Real>
using PullMemory = BlockMemory<Real, Packs<Real>::width>;

// Polynomials in z: q_l^m with leading coefficient 1, proportional to the associated Legendre function without (1−z²)^{m/2};
// and (x + iy)^m. Arrays of packs.
template <class Real>
struct Angles {
  typename Packs<Real>::Pack q[most_terms * (most_terms + 1) / 2], c[most_terms], s[most_terms];
};

template <class Real>
GAPKIT_INLINE void compute_angles(const SoapShape<Real>& shape, const Real* px, const Real* py, const Real* pz, Angles<Real>& out) {
  using Pack = typename Packs<Real>::Pack;
  const Pack x = GAPKIT_AT(px), y = GAPKIT_AT(py), z = GAPKIT_AT(pz), zero = {};
  Pack c = zero + Real(1), s = zero;
  out.c[0] = c;
  out.s[0] = s;
  for (int m = 1; m <= shape.l_max; ++m) {
    const Pack next = x * c - y * s;
    s = x * s + y * c;
    c = next;
    out.c[m] = c;
    out.s[m] = s;
  }
  for (int m = 0; m <= shape.l_max; ++m) {
    Pack before = zero, q = zero + Real(1);
    out.q[m * (m + 1) / 2 + m] = q;
    for (int l = m + 1; l <= shape.l_max; ++l) {
      const int i = l * (l + 1) / 2 + m;
      const Pack next = z * q - shape.beta[i] * before;
      before = q;
      q = next;
      out.q[i] = q;
    }
  }
}

// Radial functions of the first `slots` slots of a pack, in rows of `stride`.
template <class Real, bool with_slope>
GAPKIT_INLINE void radial_rows(const SoapShape<Real>& shape, const SoapNeighbors<Real>& in, int first, int slots, int stride, Real* values,
                               Real* slopes) {
  using Pack = typename Packs<Real>::Pack;
  constexpr int W = Packs<Real>::width;
  alignas(64) Real weight[6 * W], derivative[6 * W];
  fill_weights<with_slope>(in, first, weight, derivative);
  const int row = shape.row;
  for (int k = 0; k < slots; ++k) {
    const Real *r0 = in.rows[first + k], *r1 = r0 + row, *r2 = r1 + row, *r3 = r2 + row, *r4 = r3 + row, *r5 = r4 + row;
    const Real w0 = weight[k], w1 = weight[W + k], w2 = weight[2 * W + k], w3 = weight[3 * W + k], w4 = weight[4 * W + k],
               w5 = weight[5 * W + k];
    for (int i = 0; i < shape.columns; i += W) {
      const Pack a = GAPKIT_AT(r0 + i), b = GAPKIT_AT(r1 + i), c = GAPKIT_AT(r2 + i), d = GAPKIT_AT(r3 + i), e = GAPKIT_AT(r4 + i),
                 f = GAPKIT_AT(r5 + i);
      Pack value = w0 * a;  // sum by sum: a fused multiplication and addition each
      value += w1 * b;
      value += w2 * c;
      value += w3 * d;
      value += w4 * e;
      value += w5 * f;
      put<Real>(values + k * stride + i, value);
      if constexpr (with_slope) {
        Pack slope = derivative[k] * a;
        slope += derivative[W + k] * b;
        slope += derivative[2 * W + k] * c;
        slope += derivative[3 * W + k] * d;
        slope += derivative[4 * W + k] * e;
        slope += derivative[5 * W + k] * f;
        put<Real>(slopes + k * stride + i, slope);
      }
    }
  }
}

// Y_lm without factors of one pack of slots: angular[lm][slot] in rows of a block.
template <class Real>
GAPKIT_INLINE void fill_harmonics(const SoapShape<Real>& shape, const SoapNeighbors<Real>& in, int first, Real* angular) {
  constexpr int B = block_of<Real>;
  Angles<Real> angles;
  compute_angles<Real>(shape, in.x + first, in.y + first, in.z + first, angles);
  for (int l = 0; l <= shape.l_max; ++l) {
    const auto* q = angles.q + l * (l + 1) / 2;
    Real* y = angular + (l * l + l) * B;
    put<Real>(y, q[0]);
    for (int m = 1; m <= l; ++m) {
      put<Real>(y + m * B, q[m] * angles.c[m]);
      put<Real>(y - m * B, q[m] * angles.s[m]);
    }
  }
}

// sum of `T` consecutive lm += Σ_slots Y R for one pack of channels, or of half as many channels of even and of odd slots.
template <class Real, int T>
GAPKIT_INLINE void add_products(const Real* angular, const Real* radial, int stride, int slots, int step, Real* sum) {
  using Pack = typename Packs<Real>::Pack;
  constexpr int B = block_of<Real>, W = Packs<Real>::width;
  Pack total[T];
  for (int t = 0; t < T; ++t) total[t] = GAPKIT_AT(sum + t * step);
  if constexpr (neighbors_of<Real> == 2) {
    for (int k = 0; k < slots; k += 2) {
      Pack r, y;
      interleave(Pack(GAPKIT_AT(radial + k * stride)), Pack(GAPKIT_AT(radial + (k + 1) * stride)), r, std::make_integer_sequence<int, W>());
      for (int t = 0; t < T; ++t) {
        repeat_pair(angular + t * B + k, y);
        total[t] += y * r;
      }
    }
  } else {
    for (int k = 0; k < slots; ++k) {
      const Pack r = GAPKIT_AT(radial + k * stride);
      for (int t = 0; t < T; ++t) total[t] += angular[t * B + k] * r;
    }
  }
  for (int t = 0; t < T; ++t) put<Real>(sum + t * step, total[t]);
}

template <class Real>
GAPKIT_INLINE void accumulate(const SoapShape<Real>& shape, const ExpandMemory<Real>& memory, int slots, int step, Real* sum) {
  constexpr int B = block_of<Real>, N = neighbors_of<Real>, W = Packs<Real>::width;
  for (int l = 0; l <= shape.l_max; ++l)
    for (int n = 0; n < shape.n_max; n += W / N) {
      const Real* r = memory.radial + first_column(shape, l) + n;
      const Real* y = memory.angular + l * l * B;
      Real* s = sum + l * l * step + n * N;
      int left = 2 * l + 1;
      for (; left >= 8; left -= 8, y += 8 * B, s += 8 * step) add_products<Real, 8>(y, r, memory.stride, slots, step, s);
      if (left >= 4) {
        add_products<Real, 4>(y, r, memory.stride, slots, step, s);
        left -= 4, y += 4 * B, s += 4 * step;
      }
      if (left == 3)
        add_products<Real, 3>(y, r, memory.stride, slots, step, s);
      else if (left == 1)
        add_products<Real, 1>(y, r, memory.stride, slots, step, s);
    }
}

// out[n] = factor · keep[n] · sum of channel n; whole packs are written.
GAPKIT_INLINE void store_sums(const double* sum, const double* keep, double factor, int n_max, double* out) {
  using Real = double;
  for (int n = 0; n < n_max; n += Packs<double>::width) {
    const Packs<double>::Pack v = (factor * GAPKIT_AT(keep + n)) * GAPKIT_AT(sum + n);
    put<double>(out + n, v);
  }
}

// The sums of even and of odd slots are added.
template <int... J>
GAPKIT_INLINE void store_halves(const float* sum, const float* keep, double factor, int n_max, double* out,
                                std::integer_sequence<int, J...>) {
  using Real = float;
  typedef double Wide __attribute__((vector_size(sizeof...(J) * sizeof(double))));  // NOLINT(modernize-use-using)
  for (int n = 0; n < n_max; n += sizeof...(J)) {
    const Packs<float>::Pack v = GAPKIT_AT(keep + 2 * n) * GAPKIT_AT(sum + 2 * n);
    const Wide wide =
        factor * __builtin_convertvector(__builtin_shufflevector(v, v, (2 * J)...) + __builtin_shufflevector(v, v, (2 * J + 1)...), Wide);
    __builtin_memcpy(out + n, &wide, sizeof(wide));
  }
}

GAPKIT_INLINE void store_sums(const float* sum, const float* keep, double factor, int n_max, double* out) {
  if constexpr (neighbors_of<float> == 2)
    store_halves(sum, keep, factor, n_max, out, std::make_integer_sequence<int, Packs<float>::width / 2>());
  else
    for (int n = 0; n < n_max; ++n) out[n] = factor * static_cast<double>(keep[n] * sum[n]);
}

// Sums of all lm and species → c[lm][K]. A channel without a radial function of this l has a zero.
template <class Real>
GAPKIT_INLINE void store_coefficients(const SoapShape<Real>& shape, const ExpandMemory<Real>& memory, double* c) {
  constexpr int N = neighbors_of<Real>;
  const int width = ExpandMemory<Real>::species_width(shape), step = ExpandMemory<Real>::sum_width(shape);
  Real* keep = memory.slope;  // expand() has no other use for it
  for (int i = 0; i < width; ++i) keep[i] = i < shape.n_max * N ? 1 : 0;
  for (int lm = 0; lm < (shape.l_max + 1) * (shape.l_max + 1); ++lm) {
    if (lm == 1)
      for (int i = shape.n_higher * N; i < shape.n_max * N; ++i) keep[i] = 0;
    const Real* row = memory.coefficients + lm * step;
    double* out = c + lm * shape.channels;
    for (int first = 0; first < shape.channels; first += shape.n_max, row += width)
      store_sums(row, keep, shape.factor[lm], shape.n_max, out + first);
  }
}

template <class Real>
void expand(const SoapShape<Real>& shape, const SoapNeighbors<Real>& in, double* c, Real* scratch) {
  constexpr int B = block_of<Real>, N = neighbors_of<Real>, W = Packs<Real>::width;
  const ExpandMemory<Real> memory(shape, scratch);
  const int terms = shape.l_max + 1, step = ExpandMemory<Real>::sum_width(shape), width = ExpandMemory<Real>::species_width(shape);
  for (int i = 0; i < terms * terms * step; ++i) memory.coefficients[i] = 0;
  for (int b = 0; b < in.block_count; ++b) {
    const SoapBlock& block = in.blocks[b];
    const int slots = (block.count + N - 1) / N * N;
    for (int k = 0; k < slots; k += W) {
      fill_harmonics<Real>(shape, in, b * B + k, memory.angular + k);
      radial_rows<Real, false>(shape, in, b * B + k, slots - k < W ? slots - k : W, memory.stride, memory.radial + k * memory.stride,
                               nullptr);
    }
    accumulate<Real>(shape, memory, slots, step, memory.coefficients + block.offset / shape.n_max * width);
  }
  store_coefficients<Real>(shape, memory, c);
}

// angular[t], along[t] of `T` consecutive lm: Σ_n h_n R_n and Σ_n h_n R'_n of each slot.
template <class Real, int T>
GAPKIT_INLINE void contract(const Real* h, int channels, const PullMemory<Real>& memory, int row, int n_count, int lm) {
  using Pack = typename Packs<Real>::Pack;
  constexpr int W = Packs<Real>::width;
  Pack q[T] = {}, d[T] = {};
  const Real* r = memory.turned + row * W;
  const Real* s = memory.slopes + row * W;
  for (int n = 0; n < n_count; ++n) {
    const Pack rn = GAPKIT_AT(r + n * W), sn = GAPKIT_AT(s + n * W);
    for (int t = 0; t < T; ++t) {
      q[t] += h[t * channels + n] * rn;
      d[t] += h[t * channels + n] * sn;
    }
  }
  for (int t = 0; t < T; ++t) {
    put<Real>(memory.angular + (lm + t) * W, q[t]);
    put<Real>(memory.along + (lm + t) * W, d[t]);
  }
}

template <class Real>
GAPKIT_INLINE void contract_all(const SoapShape<Real>& shape, const Real* h, const PullMemory<Real>& memory) {
  for (int l = 0; l <= shape.l_max; ++l) {
    const int count = channels_of(shape, l), row = first_column(shape, l);
    int lm = l * l;
    for (; lm + 4 <= (l + 1) * (l + 1); lm += 4) contract<Real, 4>(h + lm * shape.channels, shape.channels, memory, row, count, lm);
    if ((l + 1) * (l + 1) - lm == 3)
      contract<Real, 3>(h + lm * shape.channels, shape.channels, memory, row, count, lm);
    else
      contract<Real, 1>(h + lm * shape.channels, shape.channels, memory, row, count, lm);
  }
}

// With P_m = Σ_l (dE/dY_lm) q_l^m and S_m from −m, E = Σ_m c_m P_m(z) + s_m S_m(z) as a polynomial in x, y, z: its gradient without the
// part along r̂ is the one on the sphere. dq_l^m/dz = (l−m) q_l^{m+1}.
template <class Real>
GAPKIT_INLINE void gradient(const SoapShape<Real>& shape, const SoapNeighbors<Real>& in, int slot, const PullMemory<Real>& memory,
                            double* out, int size) {
  using Pack = typename Packs<Real>::Pack;
  constexpr int W = Packs<Real>::width;
  Angles<Real> angles;
  compute_angles<Real>(shape, in.x + slot, in.y + slot, in.z + slot, angles);
  Pack along = {}, gx = {}, gy = {}, gz = {};
  for (int m = 0; m <= shape.l_max; ++m) {
    Pack p = {}, dp = {}, ap = {}, s = {}, ds = {}, as = {};
    for (int l = m; l <= shape.l_max; ++l) {
      const int i = l * (l + 1) / 2 + m;
      const Real *plus = memory.angular + (l * l + l + m) * W, *minus = memory.angular + (l * l + l - m) * W;
      const Real *a_plus = memory.along + (l * l + l + m) * W, *a_minus = memory.along + (l * l + l - m) * W;
      const Pack q = angles.q[i], dq = l > m ? Real(l - m) * angles.q[i + 1] : Pack{};
      const Pack qp = GAPKIT_AT(plus), qs = GAPKIT_AT(minus);
      p += qp * q;
      dp += qp * dq;
      ap += GAPKIT_AT(a_plus) * q;
      s += qs * q;
      ds += qs * dq;
      as += GAPKIT_AT(a_minus) * q;
    }
    along += angles.c[m] * ap + angles.s[m] * as;
    gz += angles.c[m] * dp + angles.s[m] * ds;
    if (m == 0) continue;
    const Pack c = Real(m) * angles.c[m - 1], t = Real(m) * angles.s[m - 1];
    gx += c * p + t * s;
    gy += c * s - t * p;
  }
  const Pack x = GAPKIT_AT(in.x + slot), y = GAPKIT_AT(in.y + slot), z = GAPKIT_AT(in.z + slot), inverse = GAPKIT_AT(in.inverse_r + slot);
  along -= inverse * (x * gx + y * gy + z * gz);
  const Pack result[3] = {along * x + inverse * gx, along * y + inverse * gy, along * z + inverse * gz};
  for (int a = 0; a < 3; ++a)
    for (int i = 0; i < W; ++i) out[a * size + slot + i] = static_cast<double>(result[a][i]);
}

template <class Real>
void pull(const SoapShape<Real>& shape, const SoapNeighbors<Real>& in, const double* dE_dc, double* out, Real* scratch) {
  constexpr int B = block_of<Real>, W = Packs<Real>::width;
  const PullMemory<Real> memory(shape, scratch);
  const int lm = (shape.l_max + 1) * (shape.l_max + 1);
  for (int i = 0; i < lm; ++i)
    for (int n = 0; n < shape.channels; ++n)
      memory.coefficients[i * shape.channels + n] = static_cast<Real>(shape.factor[i] * dE_dc[i * shape.channels + n]);
  for (int b = 0; b < in.block_count; ++b)
    for (int k = 0; k < in.blocks[b].count; k += W) {
      const int first = b * B + k, slots = in.blocks[b].count - k < W ? in.blocks[b].count - k : W;
      radial_rows<Real, true>(shape, in, first, slots, memory.stride, memory.radial, memory.slope);
      transpose<Real>(memory.radial, memory.stride, shape.columns, memory.turned);
      transpose<Real>(memory.slope, memory.stride, shape.columns, memory.slopes);
      contract_all<Real>(shape, memory.coefficients + in.blocks[b].offset, memory);
      gradient<Real>(shape, in, first, memory, out, in.block_count * B);
    }
}

// Coefficients of sin(v)/v and cos(v) in powers of −v².
struct AngleSeries {
  double sine[12], cosine[12];
};
constexpr AngleSeries angle_series() {
  AngleSeries result = {};
  result.sine[0] = result.cosine[0] = 1;
  for (int j = 1; j < 12; ++j) {
    result.sine[j] = result.sine[j - 1] / (2 * j * (2 * j + 1));
    result.cosine[j] = result.cosine[j - 1] / (2 * j * (2 * j - 1));
  }
  return result;
}

// sin and cos of −π/2 … π/2 by their series, to rounding: libraries' functions take more time than all the rest of a neighbour's weights.
template <class Real>
void place(const SoapCutoff& cutoff, int size, const double* r, Real* place, Real* value, Real* slope, int* knot) {
  constexpr double pi = 3.14159265358979323846264338327950288;
  constexpr AngleSeries series = angle_series();
  constexpr int terms = sizeof(Real) == sizeof(float) ? 7 : 11;
  const double start = cutoff.cutoff - cutoff.width, per_width = cutoff.width > 0 ? 1 / cutoff.width : 0;
  for (int i = 0; i < size; ++i) {
    const double u = (r[i] - start) * per_width;
    const double v = pi * ((u < 0 ? 0 : u > 1 ? 1 : u) - 0.5), t = -v * v;
    double sine = series.sine[terms], cosine = series.cosine[terms];
    for (int j = terms - 1; j >= 0; --j) {
      sine = sine * t + series.sine[j];
      cosine = cosine * t + series.cosine[j];
    }
    const double position = r[i] * cutoff.per_spacing;
    const int whole = static_cast<int>(position);
    const int left = whole < cutoff.last_knot ? whole : cutoff.last_knot;
    knot[i] = left;
    place[i] = static_cast<Real>(position - left - cutoff.origin);
    value[i] = static_cast<Real>(u > 0 ? 0.5 - 0.5 * sine * v : 1.0);
    slope[i] = static_cast<Real>(u > 0 ? -0.5 * pi * per_width * cosine : 0.0);
  }
}

template <class Real>
int scratch_size(const SoapShape<Real>& shape) {
  const int expanding = ExpandMemory<Real>::size(shape), pulling = PullMemory<Real>::size(shape);
  return expanding > pulling ? expanding : pulling;
}

template <class Real>
constexpr SoapPacks<Real> packs = {block_of<Real>, Packs<Real>::width, scratch_size<Real>, place<Real>, expand<Real>, pull<Real>};

}  // namespace
}  // namespace gapkit
