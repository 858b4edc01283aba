#pragma once

#include <vector>

namespace gapkit {

/// The order of some numbers, with ties, from which ranks follow for any weights of the entries: what a bootstrap needs.
class RankOrder {
 public:
  explicit RankOrder(const std::vector<double>& values);

  /// Mean rank of every entry if entry i occurs weight[i] times. O(n)
  void ranks(const std::vector<double>& weight, std::vector<double>& result) const;

 private:
  std::vector<std::size_t> order_;
  std::vector<std::size_t> tie_begin_;  // positions in order_ at which a new value begins, and the end
};

/// Spearman's ρ: Pearson's correlation of the ranks, entries counted weight[i] times. NaN if one of them does not vary.
double rank_correlation(const RankOrder& a, const RankOrder& b, const std::vector<double>& weight);

}  // namespace gapkit
