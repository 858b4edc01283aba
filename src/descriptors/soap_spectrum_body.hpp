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

// Numbers from one l to the next: not a power of 2, or all l would share a few lines of the cache.
int matrix_size(int channels) {
  return spectrum_stride(channels) * spectrum_stride(channels) + 8;
}

// Products [l][a][b], derivatives by them [l][a][b], of which only the places of features change, and one matrix.
int spectrum_scratch(const SoapSpectrum& shape) {
  return (2 * (shape.l_max + 1) + 1) * matrix_size(shape.channels);
}

double power_spectrum(const SoapSpectrum& shape, const double* c, double* __restrict x, double* __restrict products) {
  constexpr int W = Packs<double>::width;
  const int channels = shape.channels, stride = spectrum_stride(channels), size = matrix_size(channels);
  for (int l = 0; l <= shape.l_max; ++l) {
    const int rows = 2 * l + 1;
    const double w = 1 / __builtin_sqrt(rows);
    const double* cl = c + l * l * channels;
    for (int a = 0; a < channels; a += 4)  // rows beyond the last channel are not used
      for (int b = 0; b < channels && b < a + 4; b += W)
        multiply_rows<4>(cl + a, cl + b, rows, channels, w, products + l * size + a * stride + b, stride);
    const SpectrumPlaces& places = l == 0 ? shape.zero : shape.higher;
    const double* from = products + l * size;
    double* to = l == 0 ? x : x + l - 1;
    for (int i = 0; i < places.count; ++i) to[places.to[i]] = places.weight[i] * from[places.from[i]];
  }
  const double norm = __builtin_sqrt(dot(x, x, shape.count));
  const double inverse = norm > 0 ? 1 / norm : 0;
  for (int i = 0; i < shape.count; ++i) x[i] *= inverse;
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

// Whole packs are written; the first pack of the next row, which is written later, overwrites numbers beyond the end of a row.
void coefficient_gradient(const SoapSpectrum& shape, const double* c, const SpectrumGradient& in, double* gradient,
                          double* __restrict scratch) {
  constexpr int W = Packs<double>::width;
  const int channels = shape.channels, stride = spectrum_stride(channels), size = matrix_size(channels), terms = shape.l_max + 1;
  double* derivatives = scratch + terms * size;
  double* symmetric = derivatives + terms * size;
  // dE/dp = (1 − x xᵀ) dE/dx / |p|
  const double along = dot(in.x, in.dE_dx, shape.count);
  for (int l = 0; l < terms; ++l) {
    const SpectrumPlaces& places = l == 0 ? shape.zero : shape.higher;
    const int offset = l == 0 ? 0 : l - 1;
    const double *x = in.x + offset, *g = in.dE_dx + offset;
    double* derivative = derivatives + l * size;
    for (int i = 0; i < places.count; ++i)
      derivative[places.from[i]] = in.inverse_norm * places.weight[i] * (g[places.to[i]] - along * x[places.to[i]]);
    symmetrize(derivative, stride, 1 / __builtin_sqrt(2 * l + 1), symmetric);
    const int end = (l + 1) * (l + 1);
    for (int lm = l * l; lm < end;) {
      const int height = end - lm >= 4 ? 4 : end - lm;  // 4, 3 or 1
      for (int b = padded<double>(channels) - W; b >= 0; b -= W) {
        const double* from = c + lm * channels;
        double* to = gradient + lm * channels + b;
        if (height == 4)
          multiply_matrix<4>(from, symmetric + b, channels, stride, to);
        else if (height == 3)
          multiply_matrix<3>(from, symmetric + b, channels, stride, to);
        else
          multiply_matrix<1>(from, symmetric + b, channels, stride, to);
      }
      lm += height;
    }
  }
}

constexpr SpectrumLoops spectrum_loops = {spectrum_scratch, power_spectrum, coefficient_gradient};

}  // namespace
}  // namespace gapkit
