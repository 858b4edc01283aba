// Included by product_loops_*.cpp, each compiled for its own instruction set; no headers with inline functions here.

#include <gapkit/math/tiles.hpp>

#include "math/product_loops.hpp"

namespace gapkit {
namespace {

template <class Real>
constexpr int pack_width = lanes::Packs<Real>::width;

template <int C, class Real>
void multiply_columns(const ProductRowsOf<Real>& rows, long first, const Real* tile) {
  constexpr int w = pack_width<Real>;
  const long left = rows.columns - first;
  lanes::for_each_row_tile(rows.count, [&]<int T>(int row) {
    typename lanes::Packs<Real>::Pack total[T][C] = {};
    lanes::multiply_tile<T, C>(rows.a + row * rows.a_stride, rows.a_stride, tile, rows.depth, total);
    for (int t = 0; t < T; ++t) {
      Real* out = rows.c + (row + t) * rows.c_stride + first;
      for (int j = 0; j < C; ++j) {
        if ((j + 1) * w <= left)
          __builtin_memcpy(out + j * w, &total[t][j], sizeof(total[t][j]));
        else
          for (int i = 0; i < left - j * w; ++i) out[j * w + i] = total[t][j][i];
      }
    }
  });
}

template <class Real>
void multiply(const ProductRowsOf<Real>& rows) {
  constexpr int w = pack_width<Real>, tile_width = lanes::tile_packs * w;
  const Real* tile = rows.b;
  for (long first = 0; first < rows.columns; first += tile_width) {
    const long packs = (rows.columns - first + w - 1) / w;
    if (packs >= 3)
      multiply_columns<3>(rows, first, tile);
    else if (packs == 2)
      multiply_columns<2>(rows, first, tile);
    else
      multiply_columns<1>(rows, first, tile);
    tile += rows.depth * tile_width;
  }
}

}  // namespace

extern const ProductLoops GAPKIT_LOOPS;
const ProductLoops GAPKIT_LOOPS = {lanes::width, lanes::tile_width, multiply<double>, multiply<float>};

}  // namespace gapkit
