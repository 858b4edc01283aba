#include "fit/label_comparison.hpp"

#include <Eigen/QR>
#include <cmath>
#include <numeric>

namespace gapkit {
namespace {

constexpr double smallest_wrong = 0.3;  // mismatch of labels that may be wrong: factors from 1/2 to 2 are no unit
constexpr double largest_right = 0.1;   // mismatch of labels that are right: a correlation of 0.9
constexpr double largest_share = 0.15;  // of the mismatch that the named transformation may leave
constexpr double alike = 1.5;           // mismatches within this factor count as equal

}  // namespace

Eigen::Index ComparedLabels::freedom() const {
  return removed.rows() == 0 ? 0 : removed.rows() - Eigen::ColPivHouseholderQR<Matrix>(removed).rank();
}

void RegressionSums::add(const ComparedLabels& labels, const LabelTransformation& transformation, const std::vector<int>& reference_columns,
                         const std::vector<int>& predicted_columns) {
  if (labels.reference.rows() == 0) return;
  const Eigen::ColPivHouseholderQR<Matrix> qr(labels.removed);
  Vector factor(labels.atoms.size());
  for (Eigen::Index i = 0; i < factor.size(); ++i) factor[i] = transformation.value(labels.atoms[i], labels.volume[i]);
  for (std::size_t c = 0; c < reference_columns.size(); ++c) {
    Vector y = labels.reference.col(reference_columns[c]).cwiseProduct(factor);
    Vector x = labels.predicted.col(predicted_columns[c]);
    y -= labels.removed * qr.solve(y);
    x -= labels.removed * qr.solve(x);
    xx += x.squaredNorm();
    xy += x.dot(y);
    yy += y.squaredNorm();
  }
}

double RegressionSums::correlation() const {
  return xy / std::sqrt(xx * yy);
}

LabelVerdict judge(std::size_t sources, std::size_t count,
                   const std::function<RegressionSums(std::size_t source, std::size_t candidate)>& sums) {
  LabelVerdict verdict;
  std::vector<double> best(count, INFINITY);
  for (std::size_t k = 0; k < count; ++k)
    for (std::size_t s = 0; s < sources; ++s) {
      const RegressionSums found = sums(s, k);
      if (!(found.mismatch() < best[k])) continue;  // without variance it is NaN
      best[k] = found.mismatch();
      if (k == 0) verdict.before = found;
    }
  std::vector<std::size_t> order(count - 1);
  std::iota(order.begin(), order.end(), std::size_t{1});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return best[a] < best[b]; });
  const double before = best[0], after = best[order.front()];
  for (std::size_t s = 0; s < sources; ++s)
    if (const RegressionSums found = sums(s, order.front()); found.mismatch() <= after) verdict.after = found;
  if (before <= largest_right) {
    verdict.kind = LabelVerdict::Kind::right;
  } else if (before >= smallest_wrong && after <= largest_right && after <= largest_share * before) {
    verdict.kind = LabelVerdict::Kind::wrong;
    for (const std::size_t k : order)
      if (best[k] <= alike * after) verdict.candidates.push_back(k);
  }
  return verdict;
}

}  // namespace gapkit
