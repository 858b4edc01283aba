// Included by product_loops_*.cpp, each compiled for its own instruction set; no headers with inline functions here.

#include <gapkit/math/tiles.hpp>

#include "math/product_loops.hpp"

namespace gapkit {
namespace {

using lanes::Pack;
using lanes::store;
constexpr int W = lanes::width;

template <int C>
void multiply_columns(const ProductRows& rows, long first, const double* tile) {
  const long left = rows.columns - first;
  lanes::for_each_row_tile(rows.count, [&]<int T>(int row) {
    Pack total[T][C] = {};
    lanes::multiply_tile<T, C>(rows.a + row * rows.a_stride, rows.a_stride, tile, rows.depth, total);
    for (int t = 0; t < T; ++t) {
      double* out = rows.c + (row + t) * rows.c_stride + first;
      for (int j = 0; j < C; ++j) {
        if ((j + 1) * W <= left)
          store(out + j * W, total[t][j]);
        else
          for (int i = 0; i < left - j * W; ++i) out[j * W + i] = total[t][j][i];
      }
    }
  });
}

void multiply(const ProductRows& rows) {
  const double* tile = rows.b;
  for (long first = 0; first < rows.columns; first += lanes::tile_width) {
    const long packs = (rows.columns - first + W - 1) / W;
    if (packs >= 3)
      multiply_columns<3>(rows, first, tile);
    else if (packs == 2)
      multiply_columns<2>(rows, first, tile);
    else
      multiply_columns<1>(rows, first, tile);
    tile += rows.depth * lanes::tile_width;
  }
}

}  // namespace

extern const ProductLoops GAPKIT_LOOPS;
const ProductLoops GAPKIT_LOOPS = {W, lanes::tile_width, multiply};

}  // namespace gapkit
