// Included by power_loops_body.hpp. Everything has internal linkage.

#include <gapkit/math/tiles.hpp>

namespace gapkit {
namespace {

using lanes::for_each_row_tile;
using lanes::multiply_tile;
using lanes::tile_packs;
using lanes::tile_rows;
using lanes::tile_width;

constexpr int group_width = 96, block_rows = 64;
static_assert(group_width % tile_width == 0 && block_rows % tile_rows == 0);

struct PowerScratch {
  double* slopes;    // [row][group_width]
  double* energy;    // [row][W]
  double* gradient;  // [row][stride]
  long stride;       // features in whole packs

  PowerScratch(const PowerPoints& points, double* memory)
      : slopes(memory),
        energy(slopes + block_rows * group_width),
        gradient(energy + block_rows * W),
        stride((points.features + W - 1) / W * W) {}
};

long power_scratch(const PowerPoints& points) {
  return block_rows * (group_width + W + (points.features + W - 1) / W * W);
}

// `left`: points that are not yet stored, of which a tile may have fewer than its width.
template <int T>
void store_values(const Pack (&values)[T][tile_packs], long left, double* out, long stride) {
  for (int t = 0; t < T; ++t, out += stride)
    for (int j = 0; j < tile_packs; ++j) {
      if ((j + 1) * W <= left)
        store(out + j * W, values[t][j]);
      else
        for (int i = 0; i < left - j * W; ++i) out[j * W + i] = values[t][j][i];
    }
}

// A series at the packs of a row: s becomes its value.
void series_row(const PowerPoints& points, Pack (&s)[tile_packs], Pack (&slope)[tile_packs]) {
  Pack value[tile_packs];
  for (int j = 0; j < tile_packs; ++j) {
    value[j] = Pack{} + points.values[points.degree];
    slope[j] = Pack{} + points.slopes[points.degree];
  }
  for (int k = points.degree - 1; k >= 0; --k) {
    const double a = points.values[k], b = points.slopes[k];
#pragma GCC unroll 4
    for (int j = 0; j < tile_packs; ++j) {
      value[j] = value[j] * s[j] + a;
      slope[j] = slope[j] * s[j] + b;
    }
  }
  for (int j = 0; j < tile_packs; ++j) s[j] = value[j];
}

// Slopes of T rows and one tile of points; adds their energies.
template <int Zeta, int T>
void power_tile(const PowerPoints& points, long first, const PowerRows& rows, int row, const PowerScratch& scratch) {
  Pack s[T][tile_packs];
  for (int t = 0; t < T; ++t)
    for (int j = 0; j < tile_packs; ++j) s[t][j] = Pack{} + points.shift;
  multiply_tile<T, tile_packs>(rows.x + row * rows.x_stride, rows.x_stride, points.across + first * points.features, points.features, s);
  double* slopes = scratch.slopes + row * group_width + first % group_width;
  for (int t = 0; t < T; ++t) {
    Pack sum = GAPKIT_LOAD(scratch.energy + (row + t) * W);
    Pack slope_of[tile_packs];
    if (Zeta < 0) series_row(points, s[t], slope_of);
    for (int j = 0; j < tile_packs; ++j) {
      const Pack weight = GAPKIT_LOAD(points.weights + first + j * W);
      const Pack base = s[t][j];
      Pack slope;
      if (Zeta < 0) {
        sum += weight * base;
        slope = weight * slope_of[j];
      } else {
        step(Zeta > 0 ? Zeta : points.zeta, weight, base, sum, slope, s[t][j]);
      }
      store(slopes + t * group_width + j * W, slope);
    }
    store(scratch.energy + (row + t) * W, sum);
  }
  if (rows.values != nullptr) store_values<T>(s, points.count - first, rows.values + row * rows.values_stride + first, rows.values_stride);
}

// T rows and C packs of features: adds the part of one group to the gradient.
template <int C, int T>
void gradient_tile(const double* points, const double* slopes, double* out, long stride) {
  Pack total[T][C];
  for (int t = 0; t < T; ++t)
    for (int j = 0; j < C; ++j) total[t][j] = GAPKIT_LOAD(out + t * stride + j * W);
  multiply_tile<T, C>(slopes, group_width, points, group_width, total);
  for (int t = 0; t < T; ++t)
    for (int j = 0; j < C; ++j) store(out + t * stride + j * W, total[t][j]);
}

template <int Zeta>
void power_group(const PowerPoints& points, long group, const PowerRows& rows, const PowerScratch& scratch) {
  for (long first = group * group_width; first < (group + 1) * group_width; first += tile_width)
    for_each_row_tile(rows.count, [&]<int T>(int row) { power_tile<Zeta, T>(points, first, rows, row, scratch); });
}

template <int C>
void gradient_group(const double* points, int count, long feature, const PowerScratch& scratch) {
  for_each_row_tile(count, [&]<int T>(int row) {
    gradient_tile<C, T>(points, scratch.slopes + row * group_width, scratch.gradient + row * scratch.stride + feature, scratch.stride);
  });
}

void evaluate_powers(const PowerPoints& points, const PowerRows& rows, double* memory) {
  const PowerScratch scratch(points, memory);
  const bool with_gradient = rows.gradient != nullptr;
  for (int i = 0; i < rows.count * W; ++i) scratch.energy[i] = 0;
  if (with_gradient)
    for (long i = 0; i < rows.count * scratch.stride; ++i) scratch.gradient[i] = 0;
  for (long group = 0; group < points.groups; ++group) {
    if (points.zeta == 4)
      power_group<4>(points, group, rows, scratch);
    else if (points.zeta == 0)
      power_group<-1>(points, group, rows, scratch);
    else
      power_group<0>(points, group, rows, scratch);
    if (!with_gradient) continue;
    const double* part = points.gradient + group * group_width * scratch.stride;
    long feature = 0;
    for (; feature + tile_width <= scratch.stride; feature += tile_width)
      gradient_group<tile_packs>(part + feature * group_width, rows.count, feature, scratch);
    if (scratch.stride - feature == 2 * W)
      gradient_group<2>(part + feature * group_width, rows.count, feature, scratch);
    else if (scratch.stride - feature == W)
      gradient_group<1>(part + feature * group_width, rows.count, feature, scratch);
  }
  for (int e = 0; e < rows.count; ++e) {
    double sum = 0;
    for (int i = 0; i < W; ++i) sum += scratch.energy[e * W + i];
    rows.energy[e] = sum;
    if (with_gradient)
      for (long d = 0; d < points.features; ++d) rows.gradient[e * rows.gradient_stride + d] = scratch.gradient[e * scratch.stride + d];
  }
}

}  // namespace
}  // namespace gapkit
