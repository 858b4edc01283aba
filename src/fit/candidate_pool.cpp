#include "fit/candidate_pool.hpp"

#include <algorithm>

namespace gapkit {
namespace {

/// The largest level with Σ_t min(size_t, level) ≤ capacity, for Σ_t size_t > capacity.
std::size_t full_level(std::vector<std::size_t> sizes, std::size_t capacity) {
  std::sort(sizes.begin(), sizes.end());
  std::size_t left = capacity;
  for (std::size_t t = 0; t < sizes.size(); ++t) {
    const std::size_t share = left / (sizes.size() - t);
    if (sizes[t] > share) return share;
    left -= sizes[t];
  }
  return sizes.empty() ? 0 : sizes.back();
}

}  // namespace

CandidatePool::CandidatePool(int features, int capacity, std::uint64_t seed)
    : features_(static_cast<std::size_t>(features)),
      capacity_(static_cast<std::size_t>(capacity)),
      most_(capacity_ + capacity_ / 16 + 64),
      start_(mixed(seed + 0x9E3779B97F4A7C15u)) {
  if (features > 3) return;
  lowest_.resize(features_);
  highest_.resize(features_);
}

void CandidatePool::store(const double* x, Entry& entry) {
  if (free_slots_.empty()) {
    if (slots_ % chunk_rows == 0) chunks_.push_back(std::make_unique_for_overwrite<double[]>(chunk_rows * features_));
    free_slots_.push_back(slots_++);
  }
  entry.slot = free_slots_.back();
  free_slots_.pop_back();
  std::copy_n(x, features_, features_of(entry.slot));
}

void CandidatePool::insert(const double* x, Entry entry, Stratum& stratum) {
  store(x, entry);
  stratum.entries.push_back(entry);
  // After a cut up to one entry per type may remain beyond the capacity.
  if (++size_ > most_ + strata_.size()) cut_to_level();
}

/// Keeps the `size` smallest keys.
void CandidatePool::cut(Stratum& stratum, std::size_t size) {
  auto& entries = stratum.entries;
  if (entries.size() <= size) return;
  const auto first_lost = entries.begin() + static_cast<std::ptrdiff_t>(size);
  std::nth_element(entries.begin(), first_lost, entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  stratum.limit = first_lost->key;
  for (auto lost = first_lost; lost != entries.end(); ++lost) free_slots_.push_back(lost->slot);
  size_ -= entries.size() - size;
  entries.erase(first_lost, entries.end());
}

void CandidatePool::cut_to_level() {
  std::vector<std::size_t> sizes;
  for (const Stratum& s : strata_) sizes.push_back(s.entries.size());
  const std::size_t level = full_level(sizes, capacity_) + 1;  // ≥ the final share of every type, remainder included
  for (Stratum& s : strata_) cut(s, level);
}

/// Gives the extremes the smallest keys of their types; extremes that the pool has lost return.
void CandidatePool::put_extremes_first() {
  for (auto* list : {&lowest_, &highest_})
    for (Extreme& extreme : *list) {
      if (extreme.x.empty()) continue;
      auto& entries = strata_[static_cast<std::size_t>(extreme.config_type)].entries;
      auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.serial == extreme.entry.serial; });
      if (found == entries.end()) {
        store(extreme.x.data(), extreme.entry);
        found = entries.insert(entries.end(), extreme.entry);
        ++size_;
      }
      found->key >>= 16;
    }
}

/// The final cut, to the capacity. Types with more than a full share compete for the remainder by their next key.
void CandidatePool::cut_to_shares() {
  if (size_ <= capacity_) return;
  std::vector<std::size_t> sizes;
  for (const Stratum& s : strata_) sizes.push_back(s.entries.size());
  const std::size_t level = full_level(sizes, capacity_);
  std::size_t left = capacity_;
  std::vector<std::pair<std::uint64_t, Stratum*>> next;
  for (Stratum& s : strata_) {
    left -= std::min(s.entries.size(), level);
    if (s.entries.size() <= level) continue;
    cut(s, level + 1);
    const auto last = std::max_element(s.entries.begin(), s.entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    next.emplace_back(last->key, &s);
  }
  std::sort(next.begin(), next.end());
  for (std::size_t i = left; i < next.size(); ++i) cut(*next[i].second, level);
}

Candidates CandidatePool::take() {
  put_extremes_first();
  cut_to_shares();
  struct Placed {
    const Entry* entry;
    int config_type;
  };
  std::vector<Placed> sample;
  for (std::size_t t = 0; t < strata_.size(); ++t)
    for (const Entry& entry : strata_[t].entries) sample.push_back({&entry, static_cast<int>(t)});
  std::sort(sample.begin(), sample.end(), [](const Placed& a, const Placed& b) { return a.entry->serial < b.entry->serial; });
  Candidates result;
  result.x.resize(static_cast<Eigen::Index>(sample.size()), static_cast<Eigen::Index>(features_));
  result.covariance_cutoff.resize(result.x.rows());
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const Entry& entry = *sample[i].entry;
    std::copy_n(features_of(entry.slot), features_, result.x.data() + i * features_);
    result.covariance_cutoff[static_cast<Eigen::Index>(i)] = entry.covariance_cutoff;
    result.config_type.push_back(sample[i].config_type);
    result.origin.push_back(entry.origin);
    result.serial.push_back(entry.serial);
  }
  *this = CandidatePool(static_cast<int>(features_), static_cast<int>(capacity_), 0);
  return result;
}

}  // namespace gapkit
