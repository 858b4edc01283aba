#pragma once

#include <gapkit/core/types.hpp>
#include <gapkit/math/tensor_components.hpp>
#include <span>

namespace gapkit {

/// Features of an environment that turn as a tensor of rank λ does (λ-SOAP; methods.md, section 10):
///     P_μ(a l1, b l2) = Σ_m1m2 C^{λμ}_{l1m1,l2m2} c_{a l1 m1} c_{b l2 m2},   l1 + l2 + λ even
/// Order: pairs l1 ≤ l2 ascending; for l1 < l2 all (a, b) times √2, for l1 = l2 only b ≤ a, times √2 off the diagonal. Re-entrant.
/// Source: Grisafi, Wilkins, Csányi & Ceriotti, PRL 120, 036002 (2018).
class TensorSpectrum {
 public:
  TensorSpectrum(int lambda, int l_max, int channels);

  int lambda() const { return lambda_; }
  int components() const { return 2 * lambda_ + 1; }
  int size() const { return size_; }
  int coefficient_count() const { return (l_max_ + 1) * (l_max_ + 1) * channels_; }
  const std::vector<std::array<int, 2>>& pairs() const { return pairs_; }

  /// factor · P of the coefficients c[lm][K]. out [2λ+1, size()]; 2 (2 l1 + 1) K² flop for each pair and component.
  void compute(std::span<const double> c, double factor, MatrixSlice out) const;
  /// factor · dP for a change dc of the coefficients: twice the cost of compute().
  void differentiate(std::span<const double> c, std::span<const double> dc, double factor, MatrixSlice out) const;
  /// Adds factor · Σ_f g_f dP_μf/dc to row μ of dE_dc [2λ+1, coefficient_count()], for all μ at the cost of about one. g: [size()].
  void pull_back(std::span<const double> c, double factor, std::span<const double> g, MatrixSlice dE_dc) const;

 private:
  void add_products(std::size_t pair, int mu, std::span<const double> left, std::span<const double> right, Matrix& products) const;
  void copy_products(std::size_t pair, const Matrix& products, double factor, double* to) const;
  Eigen::Index width(std::size_t pair) const {
    const Eigen::Index k = channels_;
    return pairs_[pair][0] == pairs_[pair][1] ? k * (k + 1) / 2 : k * k;
  }

  int lambda_, l_max_, channels_, size_ = 0;
  std::vector<std::array<int, 2>> pairs_;
  std::vector<std::vector<Coupling>> couplings_;       // of each pair, by μ
  std::vector<std::vector<std::size_t>> first_of_mu_;  // of each pair: where the couplings of μ begin, and the end
};

}  // namespace gapkit
