#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/random_stream.hpp>
#include <numeric>

#include "leverage_scores.hpp"
#include "random_choice.hpp"
#include "selection_kinds.hpp"

namespace gapkit {
namespace {

// Eigenvectors of larger Gram matrices would take hours: the scores then come from this number of random candidates.
constexpr Eigen::Index largest_gram = 6000;
constexpr Eigen::Index chunk_rows = 4096;

/// xᵀx summed over chunks of rows.
Matrix gram_of_columns(const Matrix& x) {
  SymmetricAccumulator gram(x.cols());
  for (Eigen::Index start = 0; start < x.rows(); start += chunk_rows)
    gram.add_rows(x.middleRows(start, std::min(chunk_rows, x.rows() - start)));
  return gram.dense();
}

Matrix gram_of_rows(const Matrix& x) {
  Matrix gram(x.rows(), x.rows());
  multiply_nt(x, x, gram);
  return gram;
}

/// Number of leading eigenvalues (ascending) that span the subspace of the scores.
Eigen::Index leading_count(const Vector& eigenvalues) {
  // Eigenvalues of a Gram matrix carry errors of about 1e-16 of the largest, so singular values below 1e-8 of the largest are noise;
  // one decade above, the count does not depend on rounding.
  const double threshold = 1e-14 * eigenvalues[eigenvalues.size() - 1];
  return ((eigenvalues.array() > threshold).count() + 1) / 2;
}

/// Scores of all candidates; 0 for candidates outside the random subset.
Vector candidate_scores(const Candidates& candidates, std::uint64_t seed) {
  const Eigen::Index n = candidates.x.rows();
  if (std::min(n, candidates.x.cols()) <= largest_gram) return leverage_scores(candidates.x);
  std::vector<int> subset = random_choice(static_cast<int>(n), largest_gram, seed);
  std::sort(subset.begin(), subset.end());
  const Vector subset_scores = leverage_scores(candidates.x(subset, Eigen::all));
  Vector scores = Vector::Zero(n);
  scores(subset) = subset_scores;
  return scores;
}

/// Candidates in the order of ascending keys, equal keys in the order of the candidates.
std::vector<int> first_by_key(const std::vector<std::pair<double, double>>& key, int count) {
  std::vector<int> order(key.size());
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int a, int b) {
    const auto& ka = key[static_cast<std::size_t>(a)];
    const auto& kb = key[static_cast<std::size_t>(b)];
    return ka != kb ? ka < kb : a < b;
  };
  std::partial_sort(order.begin(), order.begin() + count, order.end(), before);
  order.resize(static_cast<std::size_t>(count));
  return order;
}

/// Sampling with inclusion probabilities p = min(1, M · score / Σ score), as in GAP's cur_points: environments with p = 1 are always
/// chosen, so that rare ones do not depend on luck; the others by weighted sampling without replacement: each candidate gets the key
/// −log(u)/score, and the smallest keys are chosen (Efraimidis & Spirakis, Inf. Process. Lett. 97, 181 (2006)).
std::vector<int> choose_sampled(const Candidates& candidates, const SelectionRequest& request) {
  const Vector scores = candidate_scores(candidates, request.seed);
  const double certain = scores.sum() / std::max(1, request.count);
  RandomStream random{.seed = request.seed, .stream = 1};  // random_choice has stream 0
  std::vector<std::pair<double, double>> key;
  for (const double score : scores) {
    const double draw = -std::log1p(-random.uniform());
    if (score > 0 && score >= certain)
      key.emplace_back(0, -score);
    else if (score > 0)
      key.emplace_back(1, draw / score);
    else
      key.emplace_back(2, draw);  // candidates without a score come last, in random order
  }
  return first_by_key(key, request.count);
}

std::vector<int> choose_largest(const Candidates& candidates, const SelectionRequest& request) {
  const Vector scores = candidate_scores(candidates, request.seed);
  std::vector<std::pair<double, double>> key;
  for (const double score : scores) key.emplace_back(-score, 0);
  return first_by_key(key, request.count);
}

}  // namespace

Vector leverage_scores(const Matrix& x) {
  const bool has_few_columns = x.cols() <= x.rows();
  const SymmetricEigen eigen = symmetric_eigen(has_few_columns ? gram_of_columns(x) : gram_of_rows(x));
  const Eigen::Index k = leading_count(eigen.values);
  if (k == 0) return Vector::Zero(x.rows());  // all features are 0
  Vector scores(x.rows());
  if (!has_few_columns) {  // the eigenvectors are the left singular vectors
    scores = eigen.vectors.bottomRows(k).colwise().squaredNorm().transpose();
    return scores;
  }
  // Left singular vectors from the right ones: U = X V Σ⁻¹.
  const Vector inverse = eigen.values.tail(k).cwiseInverse();
  Matrix projected;
  for (Eigen::Index start = 0; start < x.rows(); start += chunk_rows) {
    const Eigen::Index rows = std::min(chunk_rows, x.rows() - start);
    projected.resize(rows, k);
    multiply_nt(x.middleRows(start, rows), eigen.vectors.bottomRows(k), projected);
    scores.segment(start, rows) = projected.cwiseAbs2() * inverse;
  }
  return scores;
}

SelectionKind cur_kind() {
  return {"cur", "random, weighted by the leverage scores of the leading singular vectors of the features", false, choose_sampled};
}

SelectionKind cur_deterministic_kind() {
  return {"cur_deterministic", "the largest leverage scores of the leading singular vectors of the features", true, choose_largest};
}

}  // namespace gapkit
