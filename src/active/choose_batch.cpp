#include <algorithm>
#include <cmath>
#include <gapkit/active/choose.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/random_stream.hpp>
#include <numeric>

#include "active/joint_rows.hpp"

namespace gapkit {
namespace {

using Criterion = ChooseOptions::Criterion;

constexpr std::size_t largest_memory = 400'000'000;  // bytes of rows of all proposals

/// Indices of the `most` proposals with the largest error bars, largest first.
std::vector<int> by_error_bar(std::span<const Proposal> proposals, std::size_t most) {
  std::vector<int> order(proposals.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return proposals[static_cast<std::size_t>(a)].std > proposals[static_cast<std::size_t>(b)].std; });
  order.resize(std::min(order.size(), most));
  return order;
}

/// Greedy choice by the information of a label. P is the posterior covariance of the coordinates (1 at first), Y_i = Z_i P.
class GreedyInformation {
 public:
  GreedyInformation(std::vector<Matrix> rows, Criterion criterion)
      : z_(std::move(rows)), y_(z_), is_chosen_(z_.size(), false), criterion_(criterion) {
    if (criterion_ != Criterion::total || z_.empty()) return;
    sum_ = Matrix::Zero(z_[0].cols(), z_[0].cols());
    for (const Matrix& z : z_) multiply_tn(z, z, sum_, 1, 1);
  }

  /// The best remaining proposal and its score; −1 if none remains.
  std::pair<int, double> next() {
    int best = -1;
    double highest = 0;
    for (std::size_t i = 0; i < z_.size(); ++i) {
      if (is_chosen_[i]) continue;
      const double score = score_of(i);
      if (!std::isfinite(score)) throw NumericalError("choice of a batch: the score of a structure is not finite");
      if (best < 0 || score > highest) {
        best = static_cast<int>(i);
        highest = score;
      }
    }
    if (best >= 0) learn(static_cast<std::size_t>(best));
    return {best, highest};
  }

 private:
  /// Lower Cholesky factor of 1 + Z_i P Z_iᵀ.
  Matrix factor_of(std::size_t i) const {
    Matrix s = Matrix::Identity(z_[i].rows(), z_[i].rows());
    multiply_nt(y_[i], z_[i], s, 1, 1);
    if (!cholesky(s)) throw NumericalError("choice of a batch: a covariance is not positive definite");
    return s;
  }

  /// `largest`: information, ½ log det (1 + Z P Zᵀ). `total`: decrease of the variances of the observables of all proposals,
  /// tr[(1 + Z P Zᵀ)⁻¹ Z P (Σ_j Z_jᵀ Z_j) P Zᵀ].
  double score_of(std::size_t i) const {
    const Matrix lower = factor_of(i);
    if (criterion_ == Criterion::largest) return lower.diagonal().array().log().sum();
    Matrix seen(y_[i].rows(), y_[i].cols());
    multiply_nn(y_[i], sum_, seen);
    Matrix shrinks(y_[i].rows(), y_[i].rows());
    multiply_nt(seen, y_[i], shrinks);
    solve_lower_rows(lower, shrinks);
    Matrix transposed = shrinks.transpose();
    solve_lower_rows(lower, transposed);
    return transposed.trace();
  }

  /// Y_j −= (Y_j Z_iᵀ) (1 + Z_i P Z_iᵀ)⁻¹ Y_i for all j
  void learn(std::size_t i) {
    is_chosen_[i] = true;
    const Matrix lower = factor_of(i);
    Matrix gain = y_[i].transpose();  // [K, r] becomes Y_iᵀ L⁻ᵀ
    solve_lower_rows(lower, gain);
    for (std::size_t j = 0; j < y_.size(); ++j) {
      if (is_chosen_[j] && j != i) continue;
      if (j == i) continue;
      Matrix shared(y_[j].rows(), z_[i].rows());
      multiply_nt(y_[j], z_[i], shared);
      solve_lower_rows(lower, shared);
      multiply_nt(shared, gain, y_[j], -1, 1);
    }
  }

  std::vector<Matrix> z_, y_;
  std::vector<bool> is_chosen_;
  Criterion criterion_;
  Matrix sum_;  // Σ_j Z_jᵀ Z_j
};

std::vector<Choice> choose_by_covariance(const Model& model, std::span<const Proposal> proposals, const ChooseOptions& options, int count) {
  constexpr int auxiliary = 400;
  std::vector<int> order = by_error_bar(proposals, static_cast<std::size_t>(options.candidates));
  std::vector<const Structure*> structures;
  std::size_t bytes = 0;
  const auto columns = static_cast<std::size_t>(sparse_count(model.terms)) + auxiliary;
  for (const int i : order) {
    const Structure& s = proposals[static_cast<std::size_t>(i)].structure;
    const auto atoms = static_cast<std::size_t>(s.size());
    const std::size_t rows = options.covariance == ChooseOptions::Covariance::energy         ? 1
                             : options.covariance == ChooseOptions::Covariance::local_energy ? atoms
                                                                                             : 1 + 3 * atoms;
    bytes += 2 * sizeof(double) * rows * columns;
    if (bytes > largest_memory && structures.size() >= static_cast<std::size_t>(count)) break;
    structures.push_back(&s);
  }
  GreedyInformation greedy(joint_rows(model, structures, options.covariance, auxiliary), options.criterion);
  std::vector<Choice> chosen;
  while (static_cast<int>(chosen.size()) < count) {
    const auto [best, score] = greedy.next();
    if (best < 0) break;
    const int proposal = order[static_cast<std::size_t>(best)];
    chosen.push_back({proposal, proposals[static_cast<std::size_t>(proposal)].std, score});
  }
  return chosen;
}

}  // namespace

std::vector<Choice> choose_batch(const Model& model, std::span<const Proposal> proposals, const ChooseOptions& options, int count,
                                 std::uint64_t seed) {
  std::vector<Choice> chosen;
  if (proposals.empty() || count <= 0) return chosen;
  if (options.method == ChooseOptions::Method::variance) return choose_by_covariance(model, proposals, options, count);
  std::vector<int> order = by_error_bar(proposals, proposals.size());
  if (options.method == ChooseOptions::Method::random) {
    std::iota(order.begin(), order.end(), 0);
    RandomStream random{.seed = seed};
    shuffle(order, random);
  }
  for (const int i : order) {
    if (static_cast<int>(chosen.size()) == count) break;
    const double std = proposals[static_cast<std::size_t>(i)].std;
    chosen.push_back({i, std, options.method == ChooseOptions::Method::top ? std : 0});
  }
  return chosen;
}

}  // namespace gapkit
