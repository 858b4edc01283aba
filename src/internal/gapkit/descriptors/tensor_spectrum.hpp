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
  const std::vector<std::array<int, 2>>& pairs() const { return pairs_; }

  /// factor · P of the coefficients c[lm][K]. out [2λ+1, size()]; 2 K² flop for each coupling.
  void compute(std::span<const double> c, double factor, MatrixSlice out) const;
  /// Adds factor · Σ G_μf dP_μf/dc to dE_dc. gradient: G [2λ+1, size()].
  void pull_back(std::span<const double> c, double factor, const MatrixView& gradient, std::span<double> dE_dc) const;

 private:
  int lambda_, channels_, size_ = 0;
  std::vector<std::array<int, 2>> pairs_;
  std::vector<std::vector<Coupling>> couplings_;
};

}  // namespace gapkit
