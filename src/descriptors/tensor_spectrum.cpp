#include <algorithm>
#include <gapkit/descriptors/tensor_spectrum.hpp>
#include <numbers>

namespace gapkit {

TensorSpectrum::TensorSpectrum(int lambda, int l_max, int channels) : lambda_(lambda), channels_(channels) {
  for (int l1 = 0; l1 <= l_max; ++l1)
    for (int l2 = l1; l2 <= l_max; ++l2) {
      if ((l1 + l2 + lambda) % 2 != 0 || lambda < l2 - l1 || lambda > l1 + l2) continue;
      pairs_.push_back({l1, l2});
      couplings_.push_back(gaunt_couplings(l1, l2, lambda));
      size_ += l1 == l2 ? channels * (channels + 1) / 2 : channels * channels;
    }
}

void TensorSpectrum::compute(std::span<const double> c, double factor, MatrixSlice out) const {
  using Channels = Eigen::Map<const Vector>;
  const Eigen::Index k = channels_;
  Matrix products(k, k);
  Eigen::Index first = 0;
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    const auto [l1, l2] = pairs_[p];
    const std::vector<Coupling>& all = couplings_[p];
    const Eigen::Index width = l1 == l2 ? k * (k + 1) / 2 : k * k;
    auto next = all.begin();
    for (int mu = 0; mu < components(); ++mu) {
      products.setZero();
      for (; next != all.end() && next->mu == mu; ++next)
        products.noalias() +=
            next->value * Channels(c.data() + (l1 * l1 + next->m1) * k, k) * Channels(c.data() + (l2 * l2 + next->m2) * k, k).transpose();
      double* to = out.row(mu).data() + first;
      if (l1 < l2) {
        const double weight = factor * std::numbers::sqrt2;
        for (Eigen::Index i = 0; i < k * k; ++i) to[i] = weight * products.data()[i];
        continue;
      }
      for (Eigen::Index a = 0; a < k; ++a)
        for (Eigen::Index b = 0; b <= a; ++b) *to++ = factor * (a == b ? 1 : std::numbers::sqrt2) * products(a, b);
    }
    first += width;
  }
}

void TensorSpectrum::pull_back(std::span<const double> c, double factor, const MatrixView& gradient, std::span<double> dE_dc) const {
  using Channels = Eigen::Map<const Vector>;
  using Slopes = Eigen::Map<Vector>;
  const Eigen::Index k = channels_;
  Matrix of_products(k, k);
  Eigen::Index first = 0;
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    const auto [l1, l2] = pairs_[p];
    const std::vector<Coupling>& all = couplings_[p];
    auto next = all.begin();
    for (int mu = 0; mu < components(); ++mu) {
      const double* from = gradient.data() + mu * gradient.outerStride() + first;
      of_products.setZero();
      if (l1 < l2)
        of_products = factor * std::numbers::sqrt2 * Eigen::Map<const Matrix>(from, k, k);
      else
        for (Eigen::Index a = 0; a < k; ++a)
          for (Eigen::Index b = 0; b <= a; ++b) of_products(a, b) = factor * (a == b ? 1 : std::numbers::sqrt2) * *from++;
      for (; next != all.end() && next->mu == mu; ++next) {
        const Eigen::Index at1 = (l1 * l1 + next->m1) * k, at2 = (l2 * l2 + next->m2) * k;
        Slopes(dE_dc.data() + at1, k).noalias() += next->value * (of_products * Channels(c.data() + at2, k));
        Slopes(dE_dc.data() + at2, k).noalias() += next->value * (of_products.transpose() * Channels(c.data() + at1, k));
      }
    }
    first += l1 == l2 ? k * (k + 1) / 2 : k * k;
  }
}

}  // namespace gapkit
