#pragma once

// What the loops of soap_packs_body.hpp and soap_spectrum_body.hpp do with packs. Everything has internal linkage.

#include <gapkit/math/lanes.hpp>
#include <utility>

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

template <class Real>
constexpr int block_of = Packs<Real>::width > 8 ? Packs<Real>::width : 8;

// Reals in whole packs
template <class Real>
int padded(int count) {
  constexpr int W = Packs<Real>::width;
  return (count + W - 1) / W * W;
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

// rows [block][stride] → columns [count][block]
template <class Real>
GAPKIT_INLINE void transpose(const Real* rows, int stride, int count, Real* columns) {
  using Pack = typename Packs<Real>::Pack;
  constexpr int B = block_of<Real>, W = Packs<Real>::width;
  for (int i = 0; i < count; i += W)
    for (int k = 0; k < B; k += W) {
      Pack r[W];
      for (int j = 0; j < W; ++j) r[j] = GAPKIT_AT(rows + (k + j) * stride + i);
      transpose_from<1, W>(r);
      for (int j = 0; j < W; ++j) put<Real>(columns + (i + j) * B + k, r[j]);
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
