#pragma once

// What the loops of soap_packs_body.hpp and soap_spectrum_body.hpp do with packs. Everything has internal linkage.

#include <gapkit/math/lanes.hpp>
#include <utility>

#include "descriptors/soap_packs.hpp"

namespace gapkit {
namespace {

#define GAPKIT_INLINE inline __attribute__((always_inline))

using lanes::Packs;

template <class Real>
GAPKIT_INLINE void put(Real* to, const typename Packs<Real>::Pack& value) {
  __builtin_memcpy(to, &value, sizeof(value));
}

// With packs of sixteen, a pack holds two neighbours of eight channels: usual n_max leave half of it empty otherwise.
template <class Real>
constexpr int neighbors_of = Packs<Real>::width > 8 ? 2 : 1;

// Slots of a block: the loops over them should be long, and harmonics and radial functions of a block stay in the first-level cache.
template <class Real>
constexpr int block_of = 64 / sizeof(Real);

// Reals in whole packs
template <class Real>
int padded(int count) {
  constexpr int W = Packs<Real>::width;
  return (count + W - 1) / W * W;
}

// Weights of the six rows of an interval of the table with the cutoff function for one pack of slots, [6][slot]: value = f_c w,
// derivative = f_c' w + f_c w' (per Å).
template <class Real, bool with_slope>
GAPKIT_INLINE void put_weights(const typename Packs<Real>::Pack* w, const typename Packs<Real>::Pack* d, const SoapNeighbors<Real>& in,
                               int slot, Real* weight, Real* derivative) {
  using Pack = typename Packs<Real>::Pack;
  constexpr int W = Packs<Real>::width;
  const Pack f = GAPKIT_AT(in.value + slot);
  for (int j = 0; j < 6; ++j) put<Real>(weight + j * W, f * w[j]);
  if constexpr (with_slope) {
    const Pack df = GAPKIT_AT(in.slope + slot), fh = f * in.per_spacing;
    for (int j = 0; j < 6; ++j) put<Real>(derivative + j * W, df * w[j] + fh * d[j]);
  }
}

// The quintic Hermite polynomial (math/radial_basis.hpp).
template <bool with_slope>
GAPKIT_INLINE void fill_weights(const SoapNeighbors<double>& in, int slot, double* weight, double* derivative) {
  using Real = double;
  using Pack = Packs<double>::Pack;
  const Pack t = GAPKIT_AT(in.place + slot), t2 = t * t, t3 = t2 * t, t4 = t3 * t, t5 = t4 * t, one = Pack{} + 1.0;
  Pack w[6], d[6];
  w[3] = 10.0 * t3 - 15.0 * t4 + 6.0 * t5;
  w[0] = one - w[3];
  w[1] = t - 6.0 * t3 + 8.0 * t4 - 3.0 * t5;
  w[2] = 0.5 * t2 - 1.5 * t3 + 1.5 * t4 - 0.5 * t5;
  w[4] = 7.0 * t4 - 4.0 * t3 - 3.0 * t5;
  w[5] = 0.5 * t3 - t4 + 0.5 * t5;
  d[3] = 30.0 * t2 - 60.0 * t3 + 30.0 * t4;
  d[0] = -d[3];
  d[1] = one - 18.0 * t2 + 32.0 * t3 - 15.0 * t4;
  d[2] = t - 4.5 * t2 + 6.0 * t3 - 2.5 * t4;
  d[4] = 28.0 * t3 - 12.0 * t2 - 15.0 * t4;
  d[5] = 1.5 * t2 - 4.0 * t3 + 2.5 * t4;
  put_weights<double, with_slope>(w, d, in, slot, weight, derivative);
}

// Powers of the distance from the middle of the interval: slopes are not differences of values, which would lose digits.
template <bool with_slope>
GAPKIT_INLINE void fill_weights(const SoapNeighbors<float>& in, int slot, float* weight, float* derivative) {
  using Real = float;
  using Pack = Packs<float>::Pack;
  const Pack u = GAPKIT_AT(in.place + slot);
  Pack w[6], d[6];
  w[0] = Pack{} + 1.0F;
  d[0] = Pack{};
  for (int j = 1; j < 6; ++j) {
    w[j] = w[j - 1] * u;
    d[j] = static_cast<float>(j) * w[j - 1];
  }
  put_weights<float, with_slope>(w, d, in, slot, weight, derivative);
}

// One stage of a transposition: exchanges blocks of D × D numbers.
template <int D, class Pack, int... J>
GAPKIT_INLINE void exchange(Pack& a, Pack& b, std::integer_sequence<int, J...>) {
  constexpr int W = sizeof...(J);
  const Pack low = __builtin_shufflevector(a, b, ((J & D) == 0 ? J : W + J - D)...);
  const Pack high = __builtin_shufflevector(a, b, ((J & D) == 0 ? J + D : W + J)...);
  a = low;
  b = high;
}

template <int D, int W, class Pack>
GAPKIT_INLINE void transpose_from(Pack* r) {
  if constexpr (D < W) {
    for (int i = 0; i < W; ++i)
      if ((i & D) == 0) exchange<D>(r[i], r[i + D], std::make_integer_sequence<int, W>());
    transpose_from<2 * D, W>(r);
  }
}

// rows [pack][stride] → columns [count][pack]
template <class Real>
GAPKIT_INLINE void transpose(const Real* rows, int stride, int count, Real* columns) {
  using Pack = typename Packs<Real>::Pack;
  constexpr int W = Packs<Real>::width;
  for (int i = 0; i < count; i += W) {
    Pack r[W];
    for (int j = 0; j < W; ++j) r[j] = GAPKIT_AT(rows + j * stride + i);
    transpose_from<1, W>(r);
    for (int j = 0; j < W; ++j) put<Real>(columns + (i + j) * W, r[j]);
  }
}

// Two neighbouring numbers at `from`, repeated.
GAPKIT_INLINE void repeat_pair(const float* from, Packs<float>::Pack& out) {
  typedef long long Wide __attribute__((vector_size(GAPKIT_PACK_BYTES)));  // NOLINT(modernize-use-using)
  long long bits;
  __builtin_memcpy(&bits, from, sizeof(bits));
  const Wide repeated = Wide{} + bits;
  __builtin_memcpy(&out, &repeated, sizeof(out));
}

template <class Pack, int... J>
GAPKIT_INLINE void interleave(const Pack& a, const Pack& b, Pack& out, std::integer_sequence<int, J...>) {
  constexpr int W = sizeof...(J);
  out = __builtin_shufflevector(a, b, (J % 2 * W + J / 2)...);
}

}  // namespace
}  // namespace gapkit
