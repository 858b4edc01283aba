#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/environment_chunks.hpp>
#include <gapkit/model/quip_variance.hpp>

namespace gapkit {
namespace {

constexpr std::size_t variance_chunk_bytes = 16'000'000;

}  // namespace

QuipVariance::QuipVariance(const Model& model, double regularization) : model_(model), regularization_(regularization) {
  if (const auto other = model.notes.find("other_quip_variance"); other != model.notes.end())
    throw InputError(fmt::format("QUIP's variance of local energies cannot be computed for this imported model: {}", other->second));
  for (const Term& term : model.terms) {
    Matrix k = sparse_covariance(term);
    k.diagonal().array() += regularization * regularization;
    if (!cholesky(k))
      throw NumericalError(fmt::format("the kernel matrix of term '{}' is not positive definite even with {} eV² added to its diagonal",
                                       term.label(), regularization * regularization));
    lower_.push_back(std::move(k));
  }
}

Vector QuipVariance::local_energies(const Environments& environments, int atoms) {
  Vector result = Vector::Zero(atoms);
  for (std::size_t t = 0; t < model_.terms.size(); ++t) {
    const Term& term = model_.terms[t];
    const Eigen::Index count = term.sparse.size();
    const Vector scale = term.delta * term.delta * term.sparse.cutoff;
    const double alone = term.delta * term.delta + regularization_ * regularization_;
    const auto most =
        static_cast<Eigen::Index>(variance_chunk_bytes / (sizeof(double) * static_cast<std::size_t>(term.descriptor->size() + count)));
    const Eigen::Index block = std::max<Eigen::Index>(most, 1);
    for (int begin = 0; begin < environments.size();) {
      const int first = begin,
                end = feature_chunk_end(environments, *term.descriptor, begin, environments.size(), static_cast<std::size_t>(block));
      begin = end;
      term.descriptor->compute(environments, first, end, Derivatives::none, features_);
      for (Eigen::Index from = 0; from < features_.size(); from += block) {  // one centre may have more triplets than a chunk
        const Eigen::Index n = std::min<Eigen::Index>(block, features_.size() - from);
        rows_.resize(n, count);
        auto rows = rows_.view();
        term.kernel->compute(features_.x.view().middleRows(from, n), term.sparse.x, rows);
        rows.array().rowwise() *= scale.transpose().array();
        solve_lower_rows(lower_[t], rows);
        for (Eigen::Index e = 0; e < n; ++e) {
          const auto i = static_cast<std::size_t>(from + e);
          const double f = features_.cutoff[i];
          const double variance = term.descriptor->multiplicity() * f * f * (alone - rows.row(e).squaredNorm());
          result[features_.centre[i]] += variance;  // of a pair both halves, as the list has it from both ends
        }
      }
    }
  }
  if (!result.allFinite()) throw NumericalError("QUIP's variance of a local energy is not finite");
  return result;
}

}  // namespace gapkit
