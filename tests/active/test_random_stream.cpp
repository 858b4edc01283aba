#include <gapkit/active/random_stream.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/masses.hpp>
#include <set>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("philox: the known answers that its authors publish") {
  // Random123 1.14, tests/kat_vectors, philox4x32 10
  using Block = std::array<std::uint32_t, 4>;
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) == Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random streams: moments, range, and going on from a copy") {
  constexpr int n = 200000;
  RandomStream random{.seed = 3, .stream = 1};
  double sums[5] = {0, 0, 0, 0, 0}, smallest = 1, largest = 0, neighbours = 0, last = 0;
  for (int k = 0; k < n; ++k) {
    const double u = random.uniform(), x = random.normal();
    smallest = std::min(smallest, u);
    largest = std::max(largest, u);
    sums[0] += u;
    for (int power = 1; power < 5; ++power) sums[power] += std::pow(x, power);
    neighbours += x * last;
    last = x;
  }
  // five standard errors
  const double error = 5 / std::sqrt(n);
  CHECK(smallest >= 0);
  CHECK(smallest < 1e-4);
  CHECK(largest < 1);
  CHECK(largest > 1 - 1e-4);
  check_close(sums[0] / n, 0.5, error / std::sqrt(12.0));
  check_close(sums[1] / n, 0, error);
  check_close(sums[2] / n, 1, error * std::sqrt(2.0));
  check_close(sums[3] / n, 0, error * std::sqrt(15.0));
  check_close(sums[4] / n, 3, error * std::sqrt(96.0));
  check_close(neighbours / n, 0, error);
  RandomStream copy = random;
  for (int k = 0; k < 10; ++k) CHECK(copy.normal() == random.normal());
}

TEST_CASE("random streams: other seeds and streams give other numbers") {
  std::set<double> seen;
  for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 32, 1ULL << 63})
    for (const std::uint64_t stream : {0ULL, 1ULL, 1ULL << 32}) {
      RandomStream random{seed, stream, 0};
      for (int k = 0; k < 100; ++k) seen.insert(random.uniform());
    }
  CHECK(seen.size() == 1200);
}

TEST_CASE("atomic masses") {
  CHECK(atomic_mass(1) == 1.008);
  CHECK(atomic_mass(6) == 12.011);
  CHECK(atomic_mass(14) == 28.085);
  CHECK(atomic_mass(42) == 95.95);
  CHECK(atomic_mass(79) == 196.97);
  CHECK(atomic_mass(92) == 238.03);
  CHECK(atomic_mass(118) == 294);
  for (int z = 2; z <= 118; ++z) {
    CAPTURE(z);
    CHECK(atomic_mass(z) > 1.98 * z);
    CHECK(atomic_mass(z) < 2.66 * z);
    if (z > 2) CHECK(atomic_mass(z) >= atomic_mass(z - 2));
  }
  CHECK_THROWS_AS(atomic_mass(0), InputError);
  CHECK_THROWS_AS(atomic_mass(119), InputError);
}
