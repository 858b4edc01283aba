#include <gapkit/core/closest_pairs.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("closest pairs are the smallest distances of each pair of elements, images included") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Structure s = random_triclinic(6, seed, {1, 6, 14});
    const NeighborList list(s, 5.0);
    std::map<std::pair<int, int>, double> expected;
    for (std::size_t i = 0; i < 6; ++i)
      for (std::size_t j = 0; j < 6; ++j)
        for (int a = -4; a <= 4; ++a)
          for (int b = -4; b <= 4; ++b)
            for (int c = -4; c <= 4; ++c) {
              if (i == j && a == 0 && b == 0 && c == 0) continue;
              const Vector3 r =
                  (s.positions.row(static_cast<Eigen::Index>(j)) - s.positions.row(static_cast<Eigen::Index>(i))).transpose() +
                  s.cell->transpose() * Vector3(a, b, c);
              const std::pair<int, int> elements = std::minmax({s.atomic_numbers[i], s.atomic_numbers[j]});
              const auto [entry, is_new] = expected.try_emplace(elements, r.norm());
              if (!is_new) entry->second = std::min(entry->second, r.norm());
            }
    const auto found = closest_pairs(s, list);
    std::size_t within = 0;
    for (const auto& [elements, distance] : expected) {
      if (distance >= 5.0) continue;
      ++within;
      REQUIRE(found.count(elements) == 1);
      const ClosestPair& pair = found.at(elements);
      check_close(pair.distance, distance, 1e-10);
      const std::pair<int, int> own = std::minmax(
          {s.atomic_numbers.at(static_cast<std::size_t>(pair.first)), s.atomic_numbers.at(static_cast<std::size_t>(pair.second))});
      CHECK(own == elements);
    }
    CHECK(found.size() == within);
    CHECK(within > 3);
  }
}

TEST_CASE("an atom's own images are counted, and lone atoms have no pairs") {
  Structure s;
  s.atomic_numbers = {14};
  s.positions = Positions::Zero(1, 3);
  CHECK(closest_pairs(s, NeighborList(s, 5.0)).empty());
  s.cell = Matrix3::Identity() * 2.0;
  s.pbc = {true, true, true};
  const auto found = closest_pairs(s, NeighborList(s, 2.1));
  REQUIRE(found.size() == 1);
  const ClosestPair& pair = found.at({14, 14});
  CHECK(pair.first == pair.second);
  CHECK(pair.images == 6);
  check_close(pair.distance, 2.0, 1e-12);
}
