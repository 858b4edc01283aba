#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <limits>
#include <numeric>

#include "random_choice.hpp"
#include "selection_kinds.hpp"

namespace gapkit {
namespace {

// The Cholesky rows of N candidates take 8 N M bytes; with more, a random subset is used.
constexpr int largest_pool = 20000;
constexpr std::size_t largest_group = 256;
constexpr int catch_up_interval = 64;  // chosen points

/// The nearest number with 44 significant bits. Kernels of normalised vectors give prior variances of 1 up to rounding; rounding
/// depends on the number of threads and must not decide the first choice.
double without_rounding_noise(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, 44)), exponent - 44);
}

/// Greedy choice of the candidate with the largest posterior variance given those chosen: pivoted Cholesky of k(i, j) = f_i κ_ij f_j.
///
/// Row i of the factor L and the variance d_i = k(i, i) − Σ_j L_ij² are updated only when candidate i may be the next pivot: variances
/// only decrease, so an old one is an upper bound, and a candidate whose bound is below a current variance cannot be chosen. The result
/// equals that of plain pivoted Cholesky, but most rows are updated rarely, for many pivots at once, as matrix products.
class GreedyVariance {
 public:
  GreedyVariance(const Candidates& candidates, const SelectionRequest& request, std::vector<int> pool)
      : candidates_(candidates),
        kernel_(*request.kernel),
        pool_(std::move(pool)),
        known_(pool_.size(), 0),
        is_chosen_(pool_.size(), false),
        variance_(static_cast<Eigen::Index>(pool_.size())) {
    const Eigen::Index most = std::min<Eigen::Index>(request.chosen_before + request.count, variance_.size());
    lower_.resize(variance_.size(), most);
    chosen_x_.resize(most, candidates.x.cols());
    chosen_covariance_cutoff_.resize(most);
    chosen_lower_ = Matrix::Zero(most, most);
    compute_prior_variances();
  }

  /// The first `before` candidates are chosen already.
  std::vector<int> choose(double tolerance, int before) {
    const double first = variance_.maxCoeff();
    if (!(first > 0)) throw InputError("selection 'variance': the kernel of every candidate with itself is 0");
    for (int i = 0; i < before; ++i) {
      if (chosen_count_ > 0) {
        std::vector<int> row = {i};
        update(row);
      }
      is_chosen_[at(i)] = true;
      if (variance_[i] > tolerance * first) accept(i);  // else it depends on the ones before
    }
    std::vector<int> chosen;
    while (chosen_count_ < lower_.cols()) {
      const int best = find_largest();
      if (best < 0 || !(variance_[best] > tolerance * first)) break;
      accept(best);
      if (chosen_count_ % catch_up_interval == 0) catch_up(0.25 * variance_[best]);
      chosen.push_back(pool_[static_cast<std::size_t>(best)]);
    }
    return chosen;
  }

 private:
  static constexpr std::size_t smallest_batch = 32, largest_batch = 4096;  // candidates in one update

  std::size_t at(int i) const { return static_cast<std::size_t>(i); }
  double covariance_cutoff(int i) const { return candidates_.covariance_cutoff[pool_[at(i)]]; }
  bool comes_before(int i, int j) const { return variance_[i] != variance_[j] ? variance_[i] > variance_[j] : i < j; }

  void compute_prior_variances() {
    Matrix self(1, 1);
    for (int i = 0; i < variance_.size(); ++i) {
      const auto row = candidates_.x.middleRows(pool_[at(i)], 1);
      kernel_.compute(row, row, self);
      variance_[i] = covariance_cutoff(i) * covariance_cutoff(i) * without_rounding_noise(self(0, 0));
      if (!std::isfinite(variance_[i]))
        throw NumericalError(fmt::format("selection 'variance': the kernel of candidate {} with itself is {}", pool_[at(i)], self(0, 0)));
    }
  }

  /// The candidate with the largest variance (the first of equal ones), with a current row; −1 if none is left.
  int find_largest() {
    std::vector<int> outdated;
    for (std::size_t batch = smallest_batch;; batch = std::min(2 * batch, largest_batch)) {
      int best = -1;
      for (int i = 0; i < variance_.size(); ++i)
        if (!is_chosen_[at(i)] && known_[at(i)] == chosen_count_ && (best < 0 || comes_before(i, best))) best = i;
      outdated.clear();
      for (int i = 0; i < variance_.size(); ++i)
        if (!is_chosen_[at(i)] && known_[at(i)] < chosen_count_ && (best < 0 || comes_before(i, best))) outdated.push_back(i);
      if (outdated.empty()) return best;
      if (outdated.size() > batch) {
        std::nth_element(outdated.begin(), outdated.begin() + static_cast<std::ptrdiff_t>(batch), outdated.end(),
                         [this](int i, int j) { return comes_before(i, j); });
        outdated.resize(batch);
      }
      update(outdated);
    }
  }

  /// Updates all rows that find_largest() will need soon, so that it never misses many pivots: large products instead of many small ones.
  void catch_up(double least_variance) {
    std::vector<int> soon;
    for (int i = 0; i < variance_.size(); ++i)
      if (!is_chosen_[at(i)] && variance_[i] > least_variance) soon.push_back(i);
    update(soon);
  }

  /// Updates the rows of these candidates: grouped by the pivots they miss, groups in parallel.
  void update(std::vector<int>& rows) {
    std::sort(rows.begin(), rows.end(),
              [this](int i, int j) { return known_[at(i)] != known_[at(j)] ? known_[at(i)] < known_[at(j)] : i < j; });
    std::vector<std::span<const int>> groups;
    for (std::size_t begin = 0; begin < rows.size();) {
      std::size_t end = begin;
      while (end < rows.size() && end < begin + largest_group && known_[at(rows[end])] == known_[at(rows[begin])]) ++end;
      groups.emplace_back(&rows[begin], end - begin);
      begin = end;
    }
    const auto count = static_cast<std::ptrdiff_t>(groups.size());
    scratch_.resize(static_cast<std::size_t>(thread_count()));
#pragma omp parallel for schedule(dynamic, 1) if (count > 1)
    for (std::ptrdiff_t g = 0; g < count; ++g)
      update_group(groups[static_cast<std::size_t>(g)], scratch_[static_cast<std::size_t>(current_thread())]);
    for (const int i : rows)
      if (!std::isfinite(variance_[i]))
        throw NumericalError(fmt::format("selection 'variance': the posterior variance of candidate {} is {}", pool_[at(i)], variance_[i]));
  }

  struct Scratch {
    Matrix x, known_columns, columns;
  };

  /// With t known columns and the pivots P chosen since:   L_P = (k(·, P) − L_t L_Ptᵀ) L_PP⁻ᵀ
  void update_group(std::span<const int> rows, Scratch& s) {
    const Eigen::Index n = static_cast<Eigen::Index>(rows.size());
    const Eigen::Index known = known_[at(rows[0])], missing = chosen_count_ - known;
    s.x.resize(n, candidates_.x.cols());
    s.known_columns.resize(n, known);
    for (Eigen::Index r = 0; r < n; ++r) {
      const int i = rows[static_cast<std::size_t>(r)];
      s.x.row(r) = candidates_.x.row(pool_[at(i)]);
      s.known_columns.row(r) = lower_.row(i).head(known);
    }
    s.columns.resize(n, missing);
    kernel_.compute(s.x, chosen_x_.middleRows(known, missing), s.columns);
    for (Eigen::Index r = 0; r < n; ++r)
      s.columns.row(r).array() *=
          covariance_cutoff(rows[static_cast<std::size_t>(r)]) * chosen_covariance_cutoff_.segment(known, missing).transpose().array();
    multiply_nt(s.known_columns, chosen_lower_.block(known, 0, missing, known), s.columns, -1, 1);
    solve_lower_rows(chosen_lower_.block(known, known, missing, missing), s.columns);
    for (Eigen::Index r = 0; r < n; ++r) {
      const int i = rows[static_cast<std::size_t>(r)];
      lower_.row(i).segment(known, missing) = s.columns.row(r);
      variance_[i] -= s.columns.row(r).squaredNorm();
      known_[at(i)] = chosen_count_;
    }
  }

  void accept(int i) {
    is_chosen_[at(i)] = true;
    chosen_x_.row(chosen_count_) = candidates_.x.row(pool_[at(i)]);
    chosen_covariance_cutoff_[chosen_count_] = covariance_cutoff(i);
    chosen_lower_.row(chosen_count_).head(chosen_count_) = lower_.row(i).head(chosen_count_);
    chosen_lower_(chosen_count_, chosen_count_) = std::sqrt(variance_[i]);
    ++chosen_count_;
  }

  const Candidates& candidates_;
  const Kernel& kernel_;
  std::vector<int> pool_;   // candidates considered, ascending; other indices count within the pool
  std::vector<int> known_;  // number of valid columns of `lower_`
  std::vector<bool> is_chosen_;
  Vector variance_;  // given the first `known_` chosen points
  Matrix lower_;     // [N, M]; row i is valid up to known_[i]
  int chosen_count_ = 0;
  Matrix chosen_x_;                  // [M, D] in the order of choice
  Vector chosen_covariance_cutoff_;  // [M]
  Matrix chosen_lower_;              // [M, M] rows of the factor
  std::vector<Scratch> scratch_;     // of each thread
};

std::vector<int> choose_variance(const Candidates& candidates, const SelectionRequest& request) {
  if (request.kernel == nullptr) throw InputError("selection 'variance' needs the kernel of the term");
  if (!(request.tolerance >= 0))
    throw InputError(fmt::format("selection 'variance': tolerance is {}, expected a number of at least 0", request.tolerance));
  const int n = static_cast<int>(candidates.x.rows());
  const int before = request.chosen_before;
  if (before < 0 || before > n) throw InputError(fmt::format("selection 'variance': {} of {} candidates chosen before", before, n));
  if (before == n) return {};
  std::vector<int> pool(static_cast<std::size_t>(before));
  std::iota(pool.begin(), pool.end(), 0);
  for (const int i : random_choice(n - before, std::min(n - before, std::max(largest_pool, request.count)), request.seed))
    pool.push_back(before + i);
  std::sort(pool.begin(), pool.end());
  return GreedyVariance(candidates, request, std::move(pool)).choose(request.tolerance, before);
}

}  // namespace

SelectionKind variance_kind() {
  return {"variance", "each point has the largest posterior variance given those before (pivoted Cholesky of the kernel matrix)", true,
          choose_variance};
}

}  // namespace gapkit
