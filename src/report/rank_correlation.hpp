#pragma once

#include <vector>

namespace gapkit {

/// The order of numbers, with ties. Gives ranks for any weights of the entries, as a bootstrap needs.
class RankOrder {
 public:
  explicit RankOrder(const std::vector<double>& values);

  /// Mean rank of every entry if entry i occurs weight[i] times. O(n)
  void ranks(const std::vector<double>& weight, std::vector<double>& result) const;

 private:
  std::vector<std::size_t> order_;
  std::vector<std::size_t> tie_begin_;  // positions in order_ at which a new value begins, and the end
};

/// Spearman's ρ: Pearson's correlation of the ranks, entry i counted weight[i] times. NaN if one of the two does not vary.
double rank_correlation(const RankOrder& a, const RankOrder& b, const std::vector<double>& weight);

}  // namespace gapkit
