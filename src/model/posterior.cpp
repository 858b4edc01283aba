#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/posterior.hpp>
#include <numbers>

namespace gapkit {

SparseFactor::SparseFactor(std::vector<Matrix> blocks, std::vector<double> jitter)
    : blocks_(std::move(blocks)), jitter_(std::move(jitter)) {
  offsets_ = {0};
  for (const Matrix& block : blocks_) offsets_.push_back(offsets_.back() + block.rows());
}

SparseFactor SparseFactor::of(std::span<const Term> terms, const std::vector<double>& jitter) {
  std::vector<Matrix> blocks;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    Matrix k = sparse_covariance(terms[t]);
    k.diagonal().array() += jitter.at(t);
    if (!cholesky(k))
      throw NumericalError("the kernel matrix of term '" + terms[t].label() + "' is not positive definite with a jitter of " +
                           std::to_string(jitter[t]) + " eV²; increase [solver] jitter");
    blocks.push_back(std::move(k));
  }
  return SparseFactor(std::move(blocks), jitter);
}

void SparseFactor::whiten(MatrixSlice rows) const {
  for (std::size_t t = 0; t < blocks_.size(); ++t) solve_lower_rows(blocks_[t], rows.middleCols(offsets_[t], blocks_[t].rows()));
}

Vector SparseFactor::unwhiten(const Vector& v) const {
  Vector result(v.size());
  for (std::size_t t = 0; t < blocks_.size(); ++t)
    result.segment(offsets_[t], blocks_[t].rows()) = solve_lower_transposed(blocks_[t], v.segment(offsets_[t], blocks_[t].rows()));
  return result;
}

namespace {

// S as a vector: s_t repeated over the sparse points of term t.
Vector expanded_scale(const SparseFactor& factor, const std::vector<double>& scale) {
  Vector s(factor.size());
  for (std::size_t t = 0; t < scale.size(); ++t) s.segment(factor.offsets()[t], factor.blocks()[t].rows()).setConstant(scale[t]);
  return s;
}

}  // namespace

Posterior solve_posterior(const SufficientStatistics& statistics, const SparseFactor& factor, std::vector<double> scale,
                          const std::vector<double>* sigma) {
  const Eigen::Index m = factor.size();
  const Vector s = expanded_scale(factor, scale);
  Posterior posterior;
  posterior.scale = std::move(scale);
  posterior.noise = statistics.noise;
  Matrix a = Matrix::Zero(m, m);
  Vector b = Vector::Zero(m);
  double log_evidence = 0;
  for (std::size_t i = 0; i < statistics.groups.size(); ++i) {
    const GroupStatistics& g = statistics.groups[i];
    RowGroup group = g.group;
    if (sigma && (!group.fixed || std::isinf(sigma->at(i)))) group.sigma = sigma->at(i);
    posterior.groups.push_back(group);
    if (g.count == 0 || std::isinf(group.sigma)) continue;
    const double precision = 1 / (group.sigma * group.sigma);
    g.gram.add_lower_to(a, precision);
    b += precision * g.moment;
    log_evidence -= 0.5 * (static_cast<double>(g.count) * std::log(2 * std::numbers::pi * group.sigma * group.sigma) - g.log_weight +
                           g.target_square * precision);
  }
  a = s.asDiagonal() * a * s.asDiagonal();
  a.diagonal().array() += 1;
  b = s.cwiseProduct(b);
  if (!b.allFinite() || !a.diagonal().allFinite()) throw NumericalError("the statistics of the training data hold NaN or infinity");
  // Eigenvalues of A are at least 1: only numbers that are not finite can stop this.
  if (!cholesky(a))
    throw NumericalError(
        "the posterior precision is not positive definite: a sigma is too small for the rounding of the data, or the statistics are "
        "damaged");
  posterior.factor = std::move(a);
  const Vector half = solve_lower(posterior.factor, b);
  posterior.mean = solve_lower_transposed(posterior.factor, half);
  posterior.log_evidence = log_evidence + 0.5 * half.squaredNorm() - posterior.factor.diagonal().array().log().sum();
  return posterior;
}

Vector kernel_weights(const SparseFactor& factor, const Posterior& posterior) {
  return factor.unwhiten(expanded_scale(factor, posterior.scale).cwiseProduct(posterior.mean));
}

}  // namespace gapkit
