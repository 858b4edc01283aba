#pragma once

#include <gapkit/model/posterior.hpp>

namespace gapkit {

/// Log marginal likelihood (DTC) of the training data as a function of noise levels and amplitudes, from sufficient statistics alone
/// (methods.md, section 4). Nothing is fitted to the data here; the kernels stay those that the statistics were made with.
///
///     A = 1 + S (Σ_g G_g/σ_g²) S      u = A⁻¹ S Σ_g b_g/σ_g²      RSS_g = q_g − 2 (Su)ᵀb_g + (Su)ᵀG_g(Su)
///     log p = −½ [ Σ_g (n_g log 2πσ_g² − ℓ_g + RSS_g/σ_g²) + |u|² + log|A| ]
///
/// This form of q/σ² − bᵀu is stationary in u, so an error of u enters squared; RSS_g is summed up in extended precision. What remains
/// is the rounding of A: errors of about 10⁻¹⁶ times its largest eigenvalue, in `rounding`.
class Evidence {
 public:
  struct Value {
    double log_evidence = 0;
    std::vector<double> log_sigma_gradient;  ///< ∂ log p / ∂ log σ_g, one per group
    std::vector<double> log_scale_gradient;  ///< ∂ log p / ∂ log s_t, one per term
    std::vector<double> residual_square;     ///< RSS_g = Σ (y − prediction)²/h², one per group
    double rounding = 0;                     ///< estimated error of log_evidence
  };

  /// The statistics must outlive the object. `offsets`: where each term's columns begin, and their number at the end.
  /// variational: VFE's lower bound of the exact Gaussian process' evidence (Titsias, AISTATS 2009), which subtracts
  /// ½ Σ_g σ_g⁻² Σ_t s_t² (τ_gt − tr_t G_g), from the evidence; throws InputError if the statistics have no prior variances τ.
  /// Memory: 1.5 M² numbers.
  Evidence(const SufficientStatistics& statistics, std::vector<Eigen::Index> offsets, bool variational = false);

  /// sigma: one per group (fixed groups: 1); scale: one per term.
  /// Cost: M³/3 flop, with the gradient M³, and 4 M² per group. Throws NumericalError if the statistics are damaged (NaN, or a residual
  /// sum that is negative beyond rounding).
  Value compute(const std::vector<double>& sigma, const std::vector<double>& scale, bool with_gradient = true);

 private:
  const SufficientStatistics& statistics_;
  std::vector<Eigen::Index> offsets_;
  std::vector<std::vector<double>> novelty_;  // τ_gt − tr_t G_g per group and term; empty if not variational
  SymmetricAccumulator packed_;
  Matrix a_;
};

/// RSS_g = q − 2 vᵀb + vᵀG v of one group for the whitened weights v = S u, summed up in extended precision; 0 where rounding makes it
/// negative. Throws NumericalError if it is negative beyond that.
double residual_square(const GroupStatistics& group, const Vector& weights);

}  // namespace gapkit
