#include <algorithm>
#include <numeric>
#include <set>

#include "fit/candidate_pool.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Environment i of a stream has this feature vector.
std::vector<double> feature(std::int64_t i, int size) {
  std::vector<double> x;
  for (int d = 0; d < size; ++d) x.push_back(std::sin(0.37 * static_cast<double>(i + 1) * (d + 1)));
  return x;
}

Candidates sampled(const std::vector<int>& types, int capacity, std::uint64_t seed, int size = 4) {
  CandidatePool pool(size, capacity, seed);
  std::size_t largest = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto n = static_cast<std::int64_t>(i);
    pool.add(feature(n, size).data(), 0.5 + static_cast<double>(i), types[i], {n / 7, n % 7, 3 * n});
    largest = std::max(largest, pool.slots());
  }
  const std::set<int> distinct(types.begin(), types.end());
  const auto cap = static_cast<std::size_t>(capacity);
  CHECK(largest <= cap + cap / 16 + 64 + 1 + static_cast<std::size_t>(*distinct.rbegin() + 1));
  return pool.take();
}

/// `numbers[t]` environments of type t, type after type, or mixed at random.
std::vector<int> stream(const std::vector<int>& numbers, unsigned shuffle_seed = 0) {
  std::vector<int> types;
  for (std::size_t t = 0; t < numbers.size(); ++t) types.insert(types.end(), static_cast<std::size_t>(numbers[t]), static_cast<int>(t));
  std::mt19937_64 generator(shuffle_seed);
  if (shuffle_seed)
    for (std::size_t i = types.size(); i > 1; --i) std::swap(types[i - 1], types[generator() % i]);
  return types;
}

std::vector<int> counts(const Candidates& sample, std::size_t types) {
  std::vector<int> result(types, 0);
  for (const int t : sample.config_type) ++result[static_cast<std::size_t>(t)];
  return result;
}

/// Pours the capacity one by one, to each type in turn until it is full. Returns the full rounds and the remainder.
struct Shares {
  std::vector<int> full;
  int left = 0;
};
Shares poured(const std::vector<int>& numbers, int capacity) {
  Shares shares{std::vector<int>(numbers.size(), 0), capacity};
  while (true) {
    int open = 0;
    for (std::size_t t = 0; t < numbers.size(); ++t) open += shares.full[t] < numbers[t];
    if (open == 0 || open > shares.left) return shares;
    for (std::size_t t = 0; t < numbers.size(); ++t) shares.full[t] += shares.full[t] < numbers[t];
    shares.left -= open;
  }
}

}  // namespace

TEST_CASE("candidate pool below its capacity keeps everything as it came") {
  const std::vector<int> types = stream({300, 5, 1000, 0, 1}, 3);
  for (const int capacity : {1306, 100000, std::numeric_limits<int>::max()}) {
    const Candidates all = sampled(types, capacity, 1, 2);
    REQUIRE(all.x.rows() == 1306);
    CHECK(all.config_type == types);
    for (int i = 0; i < 1306; ++i) {
      const auto x = feature(i, 2);
      CHECK((all.x(i, 0) == x[0] && all.x(i, 1) == x[1]));
    }
  }
}

TEST_CASE("candidate pool: features, cutoffs and origins stay together") {
  const std::vector<int> types = stream({3000, 500, 40}, 4);
  for (const int size : {1, 3, 5}) {
    const Candidates sample = sampled(types, 300, 2, size);
    REQUIRE(sample.x.rows() == 300);
    REQUIRE(sample.covariance_cutoff.size() == 300);
    REQUIRE(sample.origin.size() == 300);
    for (std::size_t k = 0; k < 300; ++k) {
      const std::int64_t i = sample.serial[k];
      if (k > 0) CHECK(i > sample.serial[k - 1]);
      const auto x = feature(i, size);
      const auto row = static_cast<Eigen::Index>(k);
      for (int d = 0; d < size; ++d) CHECK(sample.x(row, d) == x[static_cast<std::size_t>(d)]);
      CHECK(sample.covariance_cutoff[row] == 0.5 + static_cast<double>(i));
      CHECK(sample.config_type[k] == types[static_cast<std::size_t>(i)]);
      CHECK((sample.origin[k].frame == i / 7 && sample.origin[k].atom == i % 7 && sample.origin[k].ordinal == 3 * i));
    }
  }
}

TEST_CASE("candidate pool: every config type keeps its fair share, and the capacity is used up") {
  const std::vector<std::vector<int>> cases = {{5000},          {4000, 4000},          {20, 9000, 300},       {9000, 300, 20},
                                               {1, 1, 1, 2000}, {100, 101, 102, 5000}, {700, 0, 700, 3, 700}, std::vector<int>(50, 60)};
  for (const auto& numbers : cases)
    for (const int capacity : {1, 7, 100, 333, 1000})
      for (const unsigned shuffle : {0u, 5u}) {
        const int total = std::accumulate(numbers.begin(), numbers.end(), 0);
        CAPTURE(total);
        CAPTURE(numbers.size());
        CAPTURE(capacity);
        const std::vector<int> kept = counts(sampled(stream(numbers, shuffle), capacity, 8), numbers.size());
        CHECK(std::accumulate(kept.begin(), kept.end(), 0) == std::min(total, capacity));
        const Shares shares = poured(numbers, capacity);
        for (std::size_t t = 0; t < numbers.size(); ++t) {
          CHECK(kept[t] >= shares.full[t]);
          CHECK(kept[t] <= std::min(numbers[t], shares.full[t] + (shares.left > 0)));
        }
      }
}

TEST_CASE("candidate pool: a smaller sample is part of a larger one, one environment at a time") {
  const std::vector<int> types = stream({1500, 30, 400}, 6);
  std::vector<std::int64_t> before;
  for (int capacity = 1; capacity <= 700; ++capacity) {
    const std::vector<std::int64_t> now = sampled(types, capacity, 9).serial;
    REQUIRE(static_cast<int>(now.size()) == capacity);
    REQUIRE(std::includes(now.begin(), now.end(), before.begin(), before.end()));
    before = now;
  }
}

TEST_CASE("candidate pool depends on the seed but not on the numbers of the config types") {
  const std::vector<int> types = stream({2000, 100, 700, 3}, 7);
  for (const int capacity : {2, 50, 501}) {
    const Candidates sample = sampled(types, capacity, 11);
    CHECK(sampled(types, capacity, 11).serial == sample.serial);
    CHECK(sampled(types, capacity, 12).serial != sample.serial);
    for (const std::vector<int>& names : {std::vector<int>{3, 2, 1, 0}, std::vector<int>{5, 0, 9, 2}}) {
      std::vector<int> renamed;
      for (const int t : types) renamed.push_back(names[static_cast<std::size_t>(t)]);
      CHECK(sampled(renamed, capacity, 11).serial == sample.serial);
    }
  }
}

TEST_CASE("candidate pool: all environments of a config type have the same chance") {
  const std::vector<int> numbers = {300, 100};
  constexpr int draws = 3000, capacity = 61;  // 30 of each, and one more of either
  for (const unsigned shuffle : {0u, 13u}) {
    const std::vector<int> types = stream(numbers, shuffle);
    std::vector<double> hits(types.size(), 0);
    std::vector<double> extra(2, 0);
    for (std::uint64_t seed = 0; seed < draws; ++seed) {
      const Candidates sample = sampled(types, capacity, seed);
      for (const std::int64_t i : sample.serial) ++hits[static_cast<std::size_t>(i)];
      const std::vector<int> kept = counts(sample, 2);
      for (std::size_t t = 0; t < 2; ++t) extra[t] += kept[t] - 30;
    }
    for (const int t : {0, 1}) {
      const double share = 30 + extra[static_cast<std::size_t>(t)] / draws, n = numbers[static_cast<std::size_t>(t)], p = share / n;
      double chi = 0, early = 0, rank = 0;
      for (std::size_t i = 0; i < types.size(); ++i) {
        if (types[i] != t) continue;
        const double z = (hits[i] - draws * p) / std::sqrt(draws * p * (1 - p));
        CHECK(std::abs(z) < 5);
        chi += z * z;
        if (++rank <= n / 2) early += hits[i];
      }
      check_close(chi, n, 5 * std::sqrt(2 * n));
      check_close(early, draws * share / 2, 5 * std::sqrt(draws * share * (1 - p)) / 2);
    }
  }
}

TEST_CASE("candidate pool keeps the extremes of up to three features within its capacity") {
  const std::vector<int> types = stream({4000, 60, 3}, 14);
  for (const int size : {1, 2, 3})
    for (const int capacity : {20, 100}) {
      Matrix all(static_cast<Eigen::Index>(types.size()), size);
      for (Eigen::Index i = 0; i < all.rows(); ++i)
        for (int d = 0; d < size; ++d) all(i, d) = feature(i, size)[static_cast<std::size_t>(d)];
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const Candidates sample = sampled(types, capacity, seed, size);
        REQUIRE(sample.x.rows() == capacity);
        for (int d = 0; d < size; ++d) {
          CHECK(sample.x.col(d).minCoeff() == all.col(d).minCoeff());
          CHECK(sample.x.col(d).maxCoeff() == all.col(d).maxCoeff());
        }
        CHECK(std::set<std::int64_t>(sample.serial.begin(), sample.serial.end()).size() == sample.serial.size());
      }
    }
}
