#pragma once

#include <cstdint>
#include <gapkit/sparsify/selection.hpp>
#include <limits>
#include <memory>

namespace gapkit {

/// A sample of bounded size of a stream of environments, stratified by config type.
///
/// If there are more than `capacity` environments, each config type keeps min(its number, a share that is the same for all), where
/// the share is such that the sum is the capacity: a rare config type is kept whole. The remainder of a share that is not an integer
/// goes, one each, to the types with the smallest next keys (see below). Within a type every environment has the same
/// chance. For up to three features the environments with the smallest and largest value of each feature come first in their types,
/// so that a grid spans the data.
///
/// The sample depends on the seed, the order of the data and which environments are of one type; not on the numbers of the types.
///
/// How: every environment gets a random key, a hash of seed and serial number, and a type's sample of size r is its r smallest keys.
/// When the pool overflows, every type is cut to λ + 1, where λ is the largest level with Σ_t min(size_t, λ) ≤ capacity, and remembers
/// the smallest key it lost; no larger key enters it again. λ only falls while data come in, and no final share exceeds λ + 1, so the
/// pool always contains the final sample, and cutting it to the shares at the end equals cutting the whole data. At most capacity +
/// types environments remain after a cut, and the next one comes after 1/16 more.
class CandidatePool {
 public:
  CandidatePool(int features, int capacity, std::uint64_t seed);

  void add(const double* x, double covariance_cutoff, int config_type, const EnvironmentOrigin& origin) {
    const std::int64_t serial = seen_++;
    const std::uint64_t key = mixed(start_ + static_cast<std::uint64_t>(serial) * 0x9E3779B97F4A7C15u);
    if (static_cast<std::size_t>(config_type) >= strata_.size()) strata_.resize(static_cast<std::size_t>(config_type) + 1);
    Stratum& stratum = strata_[static_cast<std::size_t>(config_type)];
    const Entry entry{key, serial, covariance_cutoff, origin, 0};
    if (!lowest_.empty()) keep_extremes(x, entry, config_type);
    if (key < stratum.limit) insert(x, entry, stratum);
  }

  /// The sample in the order of the data. The pool is empty afterwards.
  Candidates take();

  /// Environments for which there is memory.
  std::size_t slots() const { return slots_; }

 private:
  struct Entry {
    std::uint64_t key;  // different for all: the hash is one-to-one in the serial number
    std::int64_t serial;
    double covariance_cutoff;
    EnvironmentOrigin origin;
    std::size_t slot;  // where its features are
  };
  struct Stratum {
    std::vector<Entry> entries;
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  // smallest key lost
  };
  struct Extreme {
    Entry entry{};
    int config_type = 0;
    std::vector<double> x;
  };
  static constexpr std::size_t chunk_rows = 256;

  /// A one-to-one map of 64-bit numbers whose results look random (the finaliser of splitmix64).
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  double* features_of(std::size_t slot) { return chunks_[slot / chunk_rows].get() + (slot % chunk_rows) * features_; }

  void keep_extremes(const double* x, const Entry& entry, int config_type) {
    for (std::size_t d = 0; d < features_; ++d) {
      if (lowest_[d].x.empty() || x[d] < lowest_[d].x[d]) lowest_[d] = {entry, config_type, {x, x + features_}};
      if (highest_[d].x.empty() || x[d] > highest_[d].x[d]) highest_[d] = {entry, config_type, {x, x + features_}};
    }
  }
  void insert(const double* x, Entry entry, Stratum& stratum);
  void store(const double* x, Entry& entry);
  void cut_to_level();
  void cut(Stratum& stratum, std::size_t size);
  void put_extremes_first();
  void cut_to_shares();

  std::size_t features_, capacity_, most_;  // most_: entries that cause a cut
  std::uint64_t start_;
  std::int64_t seen_ = 0;
  std::size_t size_ = 0;
  std::vector<Stratum> strata_;                    // by config type
  std::vector<std::unique_ptr<double[]>> chunks_;  // features; never moved, so that memory does not grow by copying
  std::size_t slots_ = 0;
  std::vector<std::size_t> free_slots_;
  std::vector<Extreme> lowest_, highest_;  // by feature
};

}  // namespace gapkit
