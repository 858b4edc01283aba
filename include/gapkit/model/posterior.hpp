#pragma once

#include <gapkit/model/statistics.hpp>
#include <gapkit/model/term.hpp>

namespace gapkit {

/// Cholesky factors of the blocks of K_MM (one per term; terms are independent), with their jitter.
class SparseFactor {
 public:
  SparseFactor() = default;
  explicit SparseFactor(std::vector<Matrix> blocks, std::vector<double> jitter);

  /// Factorises δ² f κ f' + jitter·1 of each term. jitter: eV², per term. Throws NumericalError if a block is not positive definite.
  static SparseFactor of(std::span<const Term> terms, const std::vector<double>& jitter);

  Eigen::Index size() const { return offsets_.empty() ? 0 : offsets_.back(); }
  const std::vector<Matrix>& blocks() const { return blocks_; }  ///< L of each term, lower
  const std::vector<double>& jitter() const { return jitter_; }  ///< eV², per term
  const std::vector<Eigen::Index>& offsets() const { return offsets_; }

  /// Each row k becomes φ = L⁻¹ k. [m, size()]; m Σ M_t² flop
  void whiten(MatrixSlice rows) const;
  /// L⁻ᵀ v
  Vector unwhiten(const Vector& v) const;

 private:
  std::vector<Matrix> blocks_;
  std::vector<double> jitter_;
  std::vector<Eigen::Index> offsets_;
};

/// Posterior of the whitened weights: u ~ N(mean, A⁻¹) (methods.md, section 4).
struct Posterior {
  Vector mean;                      ///< u = A⁻¹ b
  Matrix factor;                    ///< lower Cholesky factor of A = 1 + S (Σ G_g/σ_g²) S, [M, M]
  std::vector<double> delta_ratio;  ///< s_t = δ_t / δ_t^ref per term; 1 unless amplitudes have changed after the kernel rows
  std::vector<RowGroup> groups;     ///< the σ of its solution
  std::vector<NoiseRecord> noise;   ///< origin of the rows' σ; empty in models of earlier versions
  double log_evidence = 0;          ///< log p(y), DTC
};

/// Solves for the posterior at the σ of the statistics' groups, or at `sigma` (one per group; infinite: excluded).
/// Cost: M³/3 flop plus the sum of the groups. Throws NumericalError if the statistics hold NaN or infinity.
Posterior solve_posterior(const SufficientStatistics& statistics, const SparseFactor& factor, std::vector<double> delta_ratio,
                          const std::vector<double>* sigma = nullptr);

/// Weights of the kernels δ_ref² f κ(·, x_m) f_m: c = L⁻ᵀ S u.
Vector kernel_weights(const SparseFactor& factor, const Posterior& posterior);

}  // namespace gapkit
