#pragma once

#include <gapkit/sparsify/selection.hpp>

#include "sparsify/random_stream.hpp"

namespace gapkit {

/// A sample of bounded size of a stream of environments: each is kept with the same probability (reservoir sampling, Vitter's
/// algorithm R, seeded). For up to three features the environments with the smallest and largest value of each feature are kept
/// besides, so that a grid spans the data.
class CandidatePool {
 public:
  CandidatePool(int features, int capacity, std::uint64_t seed) : features_(features), capacity_(capacity), random_(seed) {}

  void add(const double* x, double cutoff, int config_type, const EnvironmentOrigin& origin) {
    Entry entry{cutoff, config_type, origin, seen_++};
    if (features_ <= 3) keep_extremes(x, entry);
    if (static_cast<int>(entries_.size()) < capacity_) {
      entries_.push_back(entry);
      values_.insert(values_.end(), x, x + features_);
      return;
    }
    const std::uint64_t place = random_.below(static_cast<std::uint64_t>(seen_));
    if (place >= static_cast<std::uint64_t>(capacity_)) return;
    entries_[place] = entry;
    std::copy(x, x + features_, values_.begin() + static_cast<std::ptrdiff_t>(place) * features_);
  }

  /// The sample in the order of the data. The pool is empty afterwards.
  Candidates take();

 private:
  struct Entry {
    double cutoff;
    int config_type;
    EnvironmentOrigin origin;
    std::int64_t serial;
  };
  struct Extreme {
    Entry entry{};
    std::vector<double> x;
  };

  void keep_extremes(const double* x, const Entry& entry) {
    lowest_.resize(static_cast<std::size_t>(features_));
    highest_.resize(static_cast<std::size_t>(features_));
    for (std::size_t d = 0; d < lowest_.size(); ++d) {
      if (lowest_[d].x.empty() || x[d] < lowest_[d].x[d]) lowest_[d] = {entry, {x, x + features_}};
      if (highest_[d].x.empty() || x[d] > highest_[d].x[d]) highest_[d] = {entry, {x, x + features_}};
    }
  }

  int features_, capacity_;
  RandomStream random_;
  std::int64_t seen_ = 0;
  std::vector<Entry> entries_;
  std::vector<double> values_;
  std::vector<Extreme> lowest_, highest_;
};

}  // namespace gapkit
