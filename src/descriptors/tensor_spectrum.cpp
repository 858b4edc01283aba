#include <algorithm>
#include <gapkit/descriptors/tensor_spectrum.hpp>
#include <numbers>

namespace gapkit {
namespace {

/// Coefficients of one l: [2l+1, K].
Eigen::Map<const Matrix> coefficients_of(std::span<const double> c, int l, int channels) {
  return {c.data() + static_cast<std::ptrdiff_t>(l) * l * channels, 2 * l + 1, channels};
}

}  // namespace

TensorSpectrum::TensorSpectrum(int lambda, int l_max, int channels) : lambda_(lambda), l_max_(l_max), channels_(channels) {
  for (int l1 = 0; l1 <= l_max; ++l1)
    for (int l2 = l1; l2 <= l_max; ++l2) {
      if ((l1 + l2 + lambda) % 2 != 0 || lambda < l2 - l1 || lambda > l1 + l2) continue;
      pairs_.push_back({l1, l2});
      const std::vector<Coupling>& all = couplings_.emplace_back(gaunt_couplings(l1, l2, lambda));
      std::vector<std::size_t>& first = first_of_mu_.emplace_back();
      for (int mu = 0; mu <= components(); ++mu)
        first.push_back(static_cast<std::size_t>(
            std::find_if(all.begin(), all.end(), [&](const Coupling& coupling) { return coupling.mu >= mu; }) - all.begin()));
      size_ += static_cast<int>(width(pairs_.size() - 1));
    }
}

/// products [K, K] += Σ_m1m2 C^{λμ}_{l1m1,l2m2} left_{l1 m1} right_{l2 m2}ᵀ
void TensorSpectrum::add_products(std::size_t pair, int mu, std::span<const double> left, std::span<const double> right,
                                  Matrix& products) const {
  const auto [l1, l2] = pairs_[pair];
  const auto of_left = coefficients_of(left, l1, channels_), of_right = coefficients_of(right, l2, channels_);
  Matrix coupled = Matrix::Zero(2 * l1 + 1, channels_);
  for (std::size_t i = first_of_mu_[pair][static_cast<std::size_t>(mu)]; i < first_of_mu_[pair][static_cast<std::size_t>(mu) + 1]; ++i) {
    const Coupling& coupling = couplings_[pair][i];
    coupled.row(coupling.m1) += coupling.value * of_right.row(coupling.m2);
  }
  products.noalias() += of_left.transpose().lazyProduct(coupled);
}

void TensorSpectrum::copy_products(std::size_t pair, const Matrix& products, double factor, double* to) const {
  const Eigen::Index k = channels_;
  const double weight = factor * std::numbers::sqrt2;
  if (pairs_[pair][0] < pairs_[pair][1]) {
    for (Eigen::Index i = 0; i < k * k; ++i) to[i] = weight * products.data()[i];
    return;
  }
  for (Eigen::Index a = 0; a < k; ++a) {
    for (Eigen::Index b = 0; b < a; ++b) *to++ = weight * products(a, b);
    *to++ = factor * products(a, a);
  }
}

void TensorSpectrum::compute(std::span<const double> c, double factor, MatrixSlice out) const {
  Matrix products(channels_, channels_);
  Eigen::Index first = 0;
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    for (int mu = 0; mu < components(); ++mu) {
      products.setZero();
      add_products(p, mu, c, c, products);
      copy_products(p, products, factor, out.row(mu).data() + first);
    }
    first += width(p);
  }
}

void TensorSpectrum::differentiate(std::span<const double> c, std::span<const double> dc, double factor, MatrixSlice out) const {
  Matrix products(channels_, channels_);
  Eigen::Index first = 0;
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    for (int mu = 0; mu < components(); ++mu) {
      products.setZero();
      add_products(p, mu, dc, c, products);
      add_products(p, mu, c, dc, products);
      copy_products(p, products, factor, out.row(mu).data() + first);
    }
    first += width(p);
  }
}

void TensorSpectrum::pull_back(std::span<const double> c, double factor, std::span<const double> g, MatrixSlice dE_dc) const {
  const Eigen::Index k = channels_;
  const double weight = factor * std::numbers::sqrt2;
  Matrix of_products = Matrix::Zero(k, k);
  const double* from = g.data();
  for (std::size_t p = 0; p < pairs_.size(); ++p) {
    const auto [l1, l2] = pairs_[p];
    if (l1 < l2) {
      of_products = weight * Eigen::Map<const Matrix>(from, k, k);
      from += k * k;
    } else {
      of_products.setZero();
      for (Eigen::Index a = 0; a < k; ++a) {
        for (Eigen::Index b = 0; b < a; ++b) of_products(a, b) = weight * *from++;
        of_products(a, a) = factor * *from++;
      }
    }
    const Matrix of_first = coefficients_of(c, l2, channels_).lazyProduct(of_products.transpose()),
                 of_second = coefficients_of(c, l1, channels_).lazyProduct(of_products);
    for (const Coupling& coupling : couplings_[p]) {
      double* row = dE_dc.row(coupling.mu).data();
      Eigen::Map<Eigen::RowVectorXd>(row + (l1 * l1 + coupling.m1) * k, k) += coupling.value * of_first.row(coupling.m2);
      Eigen::Map<Eigen::RowVectorXd>(row + (l2 * l2 + coupling.m2) * k, k) += coupling.value * of_second.row(coupling.m1);
    }
  }
}

}  // namespace gapkit
