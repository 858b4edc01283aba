#pragma once

#include <gapkit/model/kernel_rows.hpp>

namespace gapkit::test {

// Slow, obviously right: plain loops over environments, kernels and their derivatives from their formulas, dense algebra in long
// double. Shares only descriptors, cutoffs and sparse points with the library: no KernelRows, Covariance or statistics.

using LongMatrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
using LongVector = Eigen::Matrix<long double, Eigen::Dynamic, 1>;

/// A linear functional of the local energies: Σ_parts value · ε_t(x) + gradient · ∇ε_t(x), ε_t without covariance cutoff.
/// Energies, forces and virials of structures, local energies of atoms, and sparse points are all of this form.
struct DenseFunctional {
  struct Part {
    std::size_t term = 0;
    LongVector x;  ///< [D]
    long double value = 0;
    LongVector gradient;  ///< [D], or empty for zero
  };
  std::vector<Part> parts;
};

/// Energy, forces (−d/dr, atom-major), virial (−Σ r_ij ⊗ d/dr_ij, xx yy zz yz xz xy): those wanted, in this order.
std::vector<DenseFunctional> observables_of(std::span<const Term> terms, const Structure& structure, const Observables& wanted = {});
/// The share of each atom: half of the environments of its pairs, from both ends.
std::vector<DenseFunctional> local_energies_of(std::span<const Term> terms, const Structure& structure);
/// f_m ε_t(x_m) of every sparse point, terms one after the other.
std::vector<DenseFunctional> sparse_points_of(std::span<const Term> terms);

/// Prior covariance of functionals, with δ² and with mixed second derivatives ∂∂'κ (methods.md, section 5). For every kernel of
/// the table.
LongMatrix prior_covariance(std::span<const Term> terms, const std::vector<DenseFunctional>& a, const std::vector<DenseFunctional>& b);
/// Its diagonal for a = b.
LongVector prior_variance(std::span<const Term> terms, const std::vector<DenseFunctional>& a);

/// What was observed: functionals, targets and noise levels.
struct Observations {
  std::vector<DenseFunctional> rows;
  std::vector<long double> target;
  std::vector<long double> sigma;
};

/// The exact Gaussian process: N × N.
class DenseProcess {
 public:
  DenseProcess(std::span<const Term> terms, const Observations& data);
  LongVector mean(const std::vector<DenseFunctional>& wanted) const;
  LongVector variance(const std::vector<DenseFunctional>& wanted) const;

 private:
  std::span<const Term> terms_;
  std::vector<DenseFunctional> rows_;
  LongMatrix lower_;     // of K_NN + Λ
  LongVector weighted_;  // (K_NN + Λ)⁻¹ y
};

/// DTC with the sparse sets of the terms: prior Q = K_NM K_MM⁻¹ K_MN of the data, K_MM with the jitter of each term on its diagonal.
class DenseSparseProcess {
 public:
  DenseSparseProcess(std::span<const Term> terms, const std::vector<double>& jitter, const Observations& data);

  /// c, from QR of [Λ^-½ K_NM; Lᵀ]
  const LongVector& weights() const { return weights_; }
  /// u = Lᵀ c
  const LongVector& whitened_weights() const { return whitened_; }
  LongVector mean(const std::vector<DenseFunctional>& wanted) const;
  LongVector novelty(const std::vector<DenseFunctional>& wanted) const;  ///< k** − Q**
  LongVector data(const std::vector<DenseFunctional>& wanted) const;     ///< Q** − Q*N (Q + Λ)⁻¹ Q_N*
  /// log N(y; 0, Q + Λ)
  long double log_evidence() const { return log_evidence_; }
  const LongMatrix& kernel_rows() const { return rows_; }  ///< K_NM

 private:
  LongMatrix whitened_rows(const std::vector<DenseFunctional>& wanted) const;  // k L⁻ᵀ

  std::span<const Term> terms_;
  std::vector<DenseFunctional> points_;
  LongMatrix rows_, whitened_data_;  // K_NM, K_NM L⁻ᵀ
  LongMatrix sparse_lower_;          // L
  LongMatrix data_lower_;            // of Q + Λ
  LongVector weights_, whitened_;
  long double log_evidence_ = 0;
};

}  // namespace gapkit::test
