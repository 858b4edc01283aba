#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <limits>

#include "selection_kinds.hpp"

namespace gapkit {
namespace {

double squared_distance(const double* a, const double* b, Eigen::Index size) {
  return (Eigen::Map<const Vector>(a, size) - Eigen::Map<const Vector>(b, size)).squaredNorm();
}

/// Greedy choice of the candidate with the largest distance from its nearest chosen point; of equal ones the first.
///
/// Distances to the nearest chosen point only decrease, so an old distance is an upper bound. A candidate is updated only if its bound is
/// not below a known distance of another one. Bounds come from matrix products, ‖x − c‖² = ‖x‖² + ‖c‖² − 2 x·c, plus their rounding
/// error; sums of squared differences decide between the few remaining candidates. The result equals that of the plain algorithm for any
/// order of summation in the matrix products.
class FarthestPoints {
 public:
  FarthestPoints(const Matrix& x, int count)
      : x_(x),
        most_(count),
        norm_(x.rowwise().squaredNorm()),
        bound_(static_cast<std::size_t>(x.rows()), std::numeric_limits<double>::infinity()),
        exact_(bound_),
        known_(bound_.size(), 0),
        exact_known_(bound_.size(), 0),
        is_chosen_(bound_.size(), false),
        chosen_x_(most_, x.cols()),
        chosen_norm_(most_) {
    const double largest = norm_.maxCoeff();
    if (!std::isfinite(4 * largest))
      throw InputError(
          fmt::format("selection 'fps': features are too large for distances, the largest squared norm is {}; scale them", largest));
    // Each of the sums over D terms is off by at most D ε ‖x‖ ‖c‖; this covers ‖x‖², ‖c‖², 2 x·c and the exact sum together.
    margin_ = 8 * static_cast<double>(x.cols() + 4) * std::numeric_limits<double>::epsilon() * largest;
  }

  std::vector<int> choose() {
    std::vector<int> chosen = {farthest_from_mean()};
    accept(chosen.back());
    for (int begin = 0; begin < x_.rows(); begin += static_cast<int>(largest_batch)) {
      std::vector<int> rows;
      for (int i = begin; i < std::min<Eigen::Index>(x_.rows(), begin + static_cast<int>(largest_batch)); ++i) rows.push_back(i);
      update_group(rows);
    }
    while (count_ < most_) {
      update_rivals();
      chosen.push_back(farthest());
      accept(chosen.back());
    }
    return chosen;
  }

 private:
  static constexpr std::size_t smallest_batch = 32, largest_batch = 4096;  // candidates in one update

  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  bool comes_before(int i, int j) const { return bound_[at(i)] != bound_[at(j)] ? bound_[at(i)] > bound_[at(j)] : i < j; }

  int farthest_from_mean() const {
    Eigen::RowVectorXd mean = Eigen::RowVectorXd::Zero(x_.cols());
    for (Eigen::Index i = 0; i < x_.rows(); ++i) mean += x_.row(i);  // row by row, the order in memory
    mean /= static_cast<double>(x_.rows());
    int best = 0;
    double largest = -1;
    for (int i = 0; i < x_.rows(); ++i) {
      const double distance = squared_distance(x_.data() + i * x_.cols(), mean.data(), x_.cols());
      if (distance > largest) {
        largest = distance;
        best = i;
      }
    }
    return best;
  }

  void accept(int i) {
    is_chosen_[at(i)] = true;
    chosen_x_.row(count_) = x_.row(i);
    chosen_norm_[count_] = norm_[i];
    ++count_;
  }

  /// Keeps the `size` rows with the largest bounds.
  void keep_largest(std::vector<int>& rows, std::size_t size) const {
    if (rows.size() <= size) return;
    std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(size), rows.end(),
                     [this](int i, int j) { return comes_before(i, j); });
    rows.resize(size);
  }

  /// Updates bounds until no candidate with an old bound can be the farthest.
  void update_rivals() {
    std::vector<int> rivals;
    for (std::size_t batch = smallest_batch;; batch = std::min(2 * batch, largest_batch)) {
      double certain = -std::numeric_limits<double>::infinity();
      for (int i = 0; i < x_.rows(); ++i)
        if (!is_chosen_[at(i)] && known_[at(i)] == count_) certain = std::max(certain, bound_[at(i)] - 2 * margin_);
      rivals.clear();
      for (int i = 0; i < x_.rows(); ++i)
        if (!is_chosen_[at(i)] && known_[at(i)] < count_ && bound_[at(i)] >= certain) rivals.push_back(i);
      if (rivals.empty()) return;
      keep_largest(rivals, batch);
      // Groups candidates that miss similar numbers of points: one large matrix product with up to twice the work is faster than many small
      // ones.
      std::sort(rivals.begin(), rivals.end(),
                [this](int i, int j) { return known_[at(i)] != known_[at(j)] ? known_[at(i)] < known_[at(j)] : i < j; });
      for (auto begin = rivals.begin(); begin != rivals.end();) {
        const int missing = count_ - known_[at(*begin)];
        const auto end = std::find_if(begin, rivals.end(), [&](int i) { return 2 * (count_ - known_[at(i)]) + 8 < missing; });
        update_group({begin, end});
        begin = end;
      }
    }
  }

  /// Updates the bounds of these rows; the first row misses the most points.
  void update_group(std::span<const int> rows) {
    const auto n = static_cast<Eigen::Index>(rows.size());
    const Eigen::Index known = known_[at(rows[0])], missing = count_ - known;
    rows_x_.resize(n, x_.cols());
    for (Eigen::Index r = 0; r < n; ++r) rows_x_.row(r) = x_.row(rows[static_cast<std::size_t>(r)]);
    products_.resize(n, missing);
    multiply_nt(rows_x_, chosen_x_.middleRows(known, missing), products_);
    for (Eigen::Index r = 0; r < n; ++r) {
      const int i = rows[static_cast<std::size_t>(r)];
      const double nearest = (chosen_norm_.segment(known, missing).transpose() - 2 * products_.row(r)).minCoeff();
      bound_[at(i)] = std::min(bound_[at(i)], norm_[i] + nearest + margin_);
      known_[at(i)] = count_;
    }
  }

  /// The farthest of the candidates with current bounds.
  int farthest() {
    std::vector<int> rivals;
    for (std::size_t batch = 1;; batch *= 2) {
      int best = -1;
      for (int i = 0; i < x_.rows(); ++i)
        if (!is_chosen_[at(i)] && exact_known_[at(i)] == count_ && (best < 0 || comes_before(i, best))) best = i;
      rivals.clear();
      for (int i = 0; i < x_.rows(); ++i)
        if (!is_chosen_[at(i)] && known_[at(i)] == count_ && exact_known_[at(i)] < count_ && (best < 0 || comes_before(i, best)))
          rivals.push_back(i);
      if (rivals.empty()) return best;
      keep_largest(rivals, batch);
      const auto n = static_cast<std::ptrdiff_t>(rivals.size());
#pragma omp parallel for schedule(static) if (n > 16)
      for (std::ptrdiff_t r = 0; r < n; ++r) make_exact(rivals[static_cast<std::size_t>(r)]);
    }
  }

  void make_exact(int i) {
    double nearest = exact_[at(i)];
    for (Eigen::Index j = exact_known_[at(i)]; j < count_; ++j)
      nearest = std::min(nearest, squared_distance(x_.data() + i * x_.cols(), chosen_x_.data() + j * x_.cols(), x_.cols()));
    exact_[at(i)] = bound_[at(i)] = nearest;
    exact_known_[at(i)] = known_[at(i)];
  }

  const Matrix& x_;
  Eigen::Index most_;
  double margin_ = 0;                     // ≥ error of a squared distance from matrix products
  Vector norm_;                           // ‖x‖²
  std::vector<double> bound_, exact_;     // squared distance to the nearest chosen point: upper bound; from sums of differences
  std::vector<int> known_, exact_known_;  // number of chosen points that they include
  std::vector<char> is_chosen_;
  int count_ = 0;
  Matrix chosen_x_;           // [M, D] in the order of choice
  Vector chosen_norm_;        // [M]
  Matrix rows_x_, products_;  // of one group
};

}  // namespace

SelectionKind fps_kind() {
  return {
      "fps", "farthest point sampling: each point is the farthest, in feature space, from those before", true,
      [](const Candidates& candidates, const SelectionRequest& request) { return FarthestPoints(candidates.x, request.count).choose(); }};
}

}  // namespace gapkit
