#pragma once

// Tiles of matrix products for loops that are compiled for several instruction sets (lanes.hpp); everything has internal linkage.

#include <gapkit/math/lanes.hpp>

namespace gapkit::lanes {
namespace {

/// A tile has tile_rows rows and tile_packs packs of columns: with its sums, columns and a factor it fits the registers.
constexpr int tile_packs = 3, tile_rows = GAPKIT_PACK_BYTES == 64 ? 8 : 4, tile_width = tile_packs * width;

/// total[t][j] += Σ_k left[t][k] right[k][j] for T rows and C packs of columns; the rows of `right` follow each other.
template <int T, int C, class Real>
inline __attribute__((always_inline)) void multiply_tile(const Real* left, long left_stride, const Real* right, long depth,
                                                         typename Packs<Real>::Pack (&total)[T][C]) {
  constexpr int w = Packs<Real>::width;
  for (long k = 0; k < depth; ++k, right += C * w) {
    typename Packs<Real>::Pack r[C];
#pragma GCC unroll 4
    for (int j = 0; j < C; ++j) r[j] = GAPKIT_AT(right + j * w);
#pragma GCC unroll 8
    for (int t = 0; t < T; ++t) {
      const Real factor = left[t * left_stride + k];
#pragma GCC unroll 4
      for (int j = 0; j < C; ++j) total[t][j] += factor * r[j];
    }
  }
}

/// use<T>(row) for tiles of tile_rows rows, then of fewer.
template <class Use>
inline __attribute__((always_inline)) void for_each_row_tile(int count, const Use& use) {
  int row = 0;
  for (; row + tile_rows <= count; row += tile_rows) use.template operator()<tile_rows>(row);
  if (tile_rows > 4 && row + 4 <= count) {
    use.template operator()<4>(row);
    row += 4;
  }
  if (row + 2 <= count) {
    use.template operator()<2>(row);
    row += 2;
  }
  if (row < count) use.template operator()<1>(row);
}

}  // namespace
}  // namespace gapkit::lanes
