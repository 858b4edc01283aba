// Included by soap_loops_*.cpp. Everything has internal linkage.

#include "descriptors/soap_pack_tools.hpp"
#include "descriptors/soap_packs.hpp"

namespace gapkit {
namespace {

// sums[t][b] of one pack of channels b: Σ_m left[m][t] right[m][b] for `T` consecutive channels t.
template <int T>
GAPKIT_INLINE void multiply_rows(const double* left, const double* right, int rows, int channels, double factor, double* sums, int stride) {
  using Real = double;
  using Pack = Packs<double>::Pack;
  Pack total[T] = {};
  for (int m = 0; m < rows; ++m) {
    const Pack r = GAPKIT_AT(right + m * channels);
    for (int t = 0; t < T; ++t) total[t] += left[m * channels + t] * r;
  }
  for (int t = 0; t < T; ++t) put<double>(sums + t * stride, factor * total[t]);
}

double dot(const double* a, const double* b, int count) {
  using Real = double;
  using Pack = Packs<double>::Pack;
  constexpr int W = Packs<double>::width;
  Pack sums[4] = {};
  int i = 0;
  for (; i + 4 * W <= count; i += 4 * W)
    for (int k = 0; k < 4; ++k) sums[k] += GAPKIT_AT(a + i + k * W) * GAPKIT_AT(b + i + k * W);
  double result = 0;
  for (; i < count; ++i) result += a[i] * b[i];
  const Pack sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (int k = 0; k < W; ++k) result += sum[k];
  return result;
}

// Memory for one environment. The features of a group are [pair][l] and the matrices of pairs one for each l: between them stand the
// pairs of each l, [l][pair]. Whole packs are read and written everywhere, so all arrays have room for more.
struct SpectrumMemory {
  double* matrix;     // [a][b]: products, or derivatives by them; in the end its symmetric form
  double* symmetric;  // [a][b]
  double* pairs;      // [l][pairs_stride]
  double* features;   // in their order, not normalised
  int pairs_stride;

  SpectrumMemory(const SoapSpectrum& shape, double* memory)
      : matrix(memory),
        symmetric(matrix + matrix_size(shape)),
        pairs(symmetric + matrix_size(shape)),
        features(pairs + padded<double>(shape.higher.terms) * stride_of(shape)),
        pairs_stride(stride_of(shape)) {}

  static int size(const SoapSpectrum& shape) {
    return 2 * matrix_size(shape) + padded<double>(shape.higher.terms) * stride_of(shape) + shape.count +
           (Packs<double>::width + 1) * (shape.higher.terms + Packs<double>::width);
  }

 private:
  static int matrix_size(const SoapSpectrum& shape) { return spectrum_stride(shape.channels) * spectrum_stride(shape.channels) + 8; }
  // Not a power of 2, or all l would share a few lines of the cache
  static int stride_of(const SoapSpectrum& shape) { return spectrum_stride(shape.higher.pairs) + 8; }
};

int spectrum_scratch(const SoapSpectrum& shape) {
  return SpectrumMemory::size(shape);
}

// Lower triangle of the products of the channels for one l.
GAPKIT_INLINE void fill_products(const double* c, int l, int channels, double* products) {
  constexpr int W = Packs<double>::width, T = W < 8 ? 4 : 8;
  const int stride = spectrum_stride(channels), rows = 2 * l + 1;
  const double w = 1 / __builtin_sqrt(rows);
  const double* cl = c + l * l * channels;
  for (int a = 0; a < channels; a += T)  // rows beyond the last channel are not used
    for (int b = 0; b < channels && b < a + T; b += W)
      multiply_rows<T>(cl + a, cl + b, rows, channels, w, products + a * stride + b, stride);
}

// Whole packs, in order: each run overwrites the numbers beyond the end of the one before.
GAPKIT_INLINE void take_pairs(const SpectrumGroup& group, const double* matrix, double* pairs) {
  using Real = double;
  for (int r = 0; r < group.runs; ++r)
    for (int i = 0; i < group.length[r]; i += Packs<double>::width)
      put<double>(pairs + group.to[r] + i, Packs<double>::Pack(GAPKIT_AT(matrix + group.from[r] + i)));
}

// Numbers beyond the end of a run become zero: they may be above the diagonal.
GAPKIT_INLINE void give_pairs(const SpectrumGroup& group, const double* pairs, double* matrix) {
  constexpr int W = Packs<double>::width;
  typedef long long Bits __attribute__((vector_size(GAPKIT_PACK_BYTES)));  // NOLINT(modernize-use-using)
  static constexpr long long all = -1;
  static constexpr long long masks[16] = {all, all, all, all, all, all, all, all, 0, 0, 0, 0, 0, 0, 0, 0};
  for (int r = 0; r < group.runs; ++r)
    for (int i = 0; i < group.length[r]; i += W) {
      const int left = group.length[r] - i;
      Bits kept, mask;
      __builtin_memcpy(&mask, masks + 8 - (left < W ? left : W), sizeof(mask));
      __builtin_memcpy(&kept, pairs + group.to[r] + i, sizeof(kept));
      kept &= mask;
      __builtin_memcpy(matrix + group.from[r] + i, &kept, sizeof(kept));
    }
}

// [l][pair] → [pair][l]. The last l, which fill a pack only in part, come first: the rest of their packs is overwritten.
GAPKIT_INLINE void to_features(const SpectrumGroup& group, const double* pairs, int stride, double* features) {
  using Real = double;
  constexpr int W = Packs<double>::width;
  for (int p = 0; p < group.pairs; p += W)
    for (int l = padded<double>(group.terms) - W; l >= 0; l -= W) {
      Packs<double>::Pack r[W];
      for (int j = 0; j < W; ++j) r[j] = GAPKIT_AT(pairs + (l + j) * stride + p);
      transpose_from<1, W>(r);
      for (int j = 0; j < W; ++j) put<double>(features + (p + j) * group.terms + l, r[j]);
    }
}

// [pair][l] → [l][pair]
GAPKIT_INLINE void from_features(const SpectrumGroup& group, const double* features, int stride, double* pairs) {
  using Real = double;
  constexpr int W = Packs<double>::width;
  for (int p = 0; p < group.pairs; p += W)
    for (int l = 0; l < group.terms; l += W) {
      Packs<double>::Pack r[W];
      for (int j = 0; j < W; ++j) r[j] = GAPKIT_AT(features + (p + j) * group.terms + l);
      transpose_from<1, W>(r);
      for (int j = 0; j < W; ++j) put<double>(pairs + (l + j) * stride + p, r[j]);
    }
}

double power_spectrum(const SoapSpectrum& shape, const double* c, double* __restrict x, double* __restrict scratch) {
  const SpectrumMemory memory(shape, scratch);
  const SpectrumGroup& higher = shape.higher;
  if (shape.zero.pairs > 0) {
    fill_products(c, 0, shape.channels, memory.matrix);
    take_pairs(shape.zero, memory.matrix, memory.features);
  }
  for (int l = higher.first_l; l < higher.first_l + higher.terms; ++l) {
    fill_products(c, l, shape.channels, memory.matrix);
    take_pairs(higher, memory.matrix, memory.pairs + (l - higher.first_l) * memory.pairs_stride);
  }
  to_features(higher, memory.pairs, memory.pairs_stride, memory.features + shape.zero.pairs);
  double* __restrict features = memory.features;
  for (int i = 0; i < shape.count; ++i) features[i] *= shape.weight[i];
  const double norm = __builtin_sqrt(dot(features, features, shape.count));
  const double inverse = norm > 0 ? 1 / norm : 0;
  for (int i = 0; i < shape.count; ++i) x[i] = inverse * features[i];
  return inverse;
}

// symmetric = factor (L + Lᵀ) for the lower triangle L; numbers above its diagonal are zero.
GAPKIT_INLINE void symmetrize(const double* lower, int stride, double factor, double* symmetric) {
  using Real = double;
  using Pack = Packs<double>::Pack;
  constexpr int W = Packs<double>::width;
  for (int a = 0; a < stride; a += W)
    for (int b = 0; b <= a; b += W) {
      Pack r[W], t[W];
      for (int j = 0; j < W; ++j) t[j] = r[j] = factor * GAPKIT_AT(lower + (a + j) * stride + b);
      transpose_from<1, W>(t);
      for (int j = 0; j < W; ++j) {
        if (a == b) r[j] = t[j] = r[j] + t[j];
        put<double>(symmetric + (a + j) * stride + b, r[j]);
        put<double>(symmetric + (b + j) * stride + a, t[j]);
      }
    }
}

// out[t][b] of one pack of channels b: Σ_a c[t][a] matrix[a][b] for `T` consecutive lm t.
template <int T>
GAPKIT_INLINE void multiply_matrix(const double* c, const double* matrix, int channels, int stride, double* out) {
  using Real = double;
  using Pack = Packs<double>::Pack;
  Pack total[T] = {};
  for (int a = 0; a < channels; ++a) {
    const Pack row = GAPKIT_AT(matrix + a * stride);
    for (int t = 0; t < T; ++t) total[t] += c[t * channels + a] * row;
  }
  for (int t = 0; t < T; ++t) put<double>(out + t * channels, total[t]);
}

GAPKIT_INLINE void clear_matrix(int channels, double* matrix) {
  for (int i = 0; i < channels * spectrum_stride(channels); ++i) matrix[i] = 0;
}

// dE/dc of one l from the derivatives by the lower triangle of its products. Whole packs are written; the first pack of the next row, which
// is written later, overwrites numbers beyond the end of a row.
GAPKIT_INLINE void pull_products(const double* c, int l, int channels, const SpectrumMemory& memory, double* gradient) {
  constexpr int W = Packs<double>::width;
  const int stride = spectrum_stride(channels), end = (l + 1) * (l + 1);
  symmetrize(memory.matrix, stride, 1 / __builtin_sqrt(2 * l + 1), memory.symmetric);
  for (int lm = l * l; lm < end;) {
    const int left = end - lm, height = left >= 8 ? 8 : left >= 4 ? 4 : left;  // 8, 4, 3 or 1
    for (int b = padded<double>(channels) - W; b >= 0; b -= W) {
      const double* from = c + lm * channels;
      double* to = gradient + lm * channels + b;
      if (height == 8)
        multiply_matrix<8>(from, memory.symmetric + b, channels, stride, to);
      else if (height == 4)
        multiply_matrix<4>(from, memory.symmetric + b, channels, stride, to);
      else if (height == 3)
        multiply_matrix<3>(from, memory.symmetric + b, channels, stride, to);
      else
        multiply_matrix<1>(from, memory.symmetric + b, channels, stride, to);
    }
    lm += height;
  }
}

void coefficient_gradient(const SoapSpectrum& shape, const double* c, const SpectrumGradient& in, double* gradient,
                          double* __restrict scratch) {
  const SpectrumMemory memory(shape, scratch);
  const SpectrumGroup& higher = shape.higher;
  // dE/dp = (1 − x xᵀ) dE/dx / |p|
  const double along = dot(in.x, in.dE_dx, shape.count);
  double* __restrict features = memory.features;
  for (int i = 0; i < shape.count; ++i) features[i] = in.inverse_norm * shape.weight[i] * (in.dE_dx[i] - along * in.x[i]);
  from_features(higher, features + shape.zero.pairs, memory.pairs_stride, memory.pairs);
  clear_matrix(shape.channels, memory.matrix);
  if (shape.zero.pairs > 0) {
    give_pairs(shape.zero, features, memory.matrix);
    pull_products(c, 0, shape.channels, memory, gradient);
  }
  for (int l = higher.first_l; l < higher.first_l + higher.terms; ++l) {
    // The pairs of l = 0 are all pairs: those that have no higher l were set by it.
    if (l == 1 && shape.zero.pairs > 0) clear_matrix(shape.channels, memory.matrix);
    give_pairs(higher, memory.pairs + (l - higher.first_l) * memory.pairs_stride, memory.matrix);
    pull_products(c, l, shape.channels, memory, gradient);
  }
}

constexpr SpectrumLoops spectrum_loops = {spectrum_scratch, power_spectrum, coefficient_gradient};

}  // namespace
}  // namespace gapkit
