#include "fit/candidate_pool.hpp"

#include <algorithm>
#include <numeric>

namespace gapkit {

Candidates CandidatePool::take() {
  for (const auto* list : {&lowest_, &highest_})
    for (const Extreme& extreme : *list) {
      const bool present = std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.serial == extreme.entry.serial; });
      if (present || extreme.x.empty()) continue;
      entries_.push_back(extreme.entry);
      values_.insert(values_.end(), extreme.x.begin(), extreme.x.end());
    }
  std::vector<std::size_t> order(entries_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return entries_[a].serial < entries_[b].serial; });
  Candidates result;
  const auto count = static_cast<Eigen::Index>(order.size());
  result.x.resize(count, features_);
  result.cutoff.resize(count);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Entry& entry = entries_[order[i]];
    std::copy_n(values_.begin() + static_cast<std::ptrdiff_t>(order[i]) * features_, features_,
                result.x.data() + static_cast<Eigen::Index>(i) * features_);
    result.cutoff[static_cast<Eigen::Index>(i)] = entry.cutoff;
    result.config_type.push_back(entry.config_type);
    result.origin.push_back(entry.origin);
    result.serial.push_back(entry.serial);
  }
  entries_ = {};
  values_ = {};
  return result;
}

}  // namespace gapkit
