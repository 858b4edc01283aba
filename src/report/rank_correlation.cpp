#include "report/rank_correlation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gapkit {

RankOrder::RankOrder(const std::vector<double>& values) : order_(values.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::sort(order_.begin(), order_.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b] || (values[a] == values[b] && a < b); });
  for (std::size_t i = 0; i < order_.size(); ++i)
    if (i == 0 || values[order_[i]] != values[order_[i - 1]]) tie_begin_.push_back(i);
  tie_begin_.push_back(order_.size());
}

void RankOrder::ranks(const std::vector<double>& weight, std::vector<double>& result) const {
  result.resize(order_.size());
  double below = 0;
  for (std::size_t t = 0; t + 1 < tie_begin_.size(); ++t) {
    double here = 0;
    for (std::size_t i = tie_begin_[t]; i < tie_begin_[t + 1]; ++i) here += weight[order_[i]];
    for (std::size_t i = tie_begin_[t]; i < tie_begin_[t + 1]; ++i) result[order_[i]] = below + 0.5 * (here + 1);
    below += here;
  }
}

double rank_correlation(const RankOrder& a, const RankOrder& b, const std::vector<double>& weight) {
  std::vector<double> x, y;
  a.ranks(weight, x);
  b.ranks(weight, y);
  const double n = std::accumulate(weight.begin(), weight.end(), 0.0), mean = 0.5 * (n + 1);
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const double dx = x[i] - mean, dy = y[i] - mean;
    xx += weight[i] * dx * dx;
    yy += weight[i] * dy * dy;
    xy += weight[i] * dx * dy;
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace gapkit
