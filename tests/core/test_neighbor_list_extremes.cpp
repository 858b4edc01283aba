// Neighbour lists of molecules, wires and slabs, of no atoms and of many, and refused requests.

#include <gapkit/core/errors.hpp>
#include <numbers>

#include "core/neighbor_reference.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("neighbour list: molecules, with and without pbc flags, a zero cell or a huge box") {
  std::mt19937 random(4);
  test::Uniform uniform(-4, 4);
  Positions positions(20, 3);
  for (int k = 0; k < 60; ++k) positions(k / 3, k % 3) = uniform(random);
  Structure s = molecule(positions);
  check_against_brute_force(s, 3);
  const auto alone = pairs_of(NeighborList(s, 3));
  const auto same_as_alone = [&] {
    const auto pairs = pairs_of(NeighborList(s, 3));
    return std::equal(pairs.begin(), pairs.end(), alone.begin(), alone.end(),
                      [](const Pair& a, const Pair& b) { return a.vector == b.vector; });
  };
  s.pbc = {true, true, true};  // no cell: not periodic
  CHECK(same_as_alone());
  s.cell = Matrix3(100.0 * Matrix3::Identity());
  check_against_brute_force(s, 3);
  CHECK(pairs_of(NeighborList(s, 3)).size() == alone.size());
  s.cell = Matrix3(Matrix3::Zero());
  s.pbc = {false, false, false};
  CHECK(same_as_alone());

  // A wire and a slab whose other vectors are zero
  for (int periodic = 0; periodic < 3; ++periodic) {
    const auto d = static_cast<std::size_t>(periodic);
    s.cell = Matrix3(Matrix3::Zero());
    s.cell->row(periodic) << 1, -2, 3;
    s.pbc = {false, false, false};
    s.pbc[d] = true;
    check_against_brute_force(s, 4);
    s.cell->row((periodic + 1) % 3) << 5, 0, 1;
    check_against_brute_force(s, 4);
    s.pbc[(d + 1) % 3] = true;
    check_against_brute_force(s, 4);
    // The vector without periodicity may depend linearly on the others.
    s.cell->row((periodic + 2) % 3) = s.cell->row(periodic);
    check_against_brute_force(s, 4);
  }
}

TEST_CASE("neighbour list: no atom, one atom, two atoms at the same place") {
  Structure s = molecule(Positions(0, 3));
  CHECK(NeighborList(s, 5).size() == 0);
  CHECK(NeighborList(s, 5).begin() == std::vector<std::size_t>{0});
  s = molecule(Positions{{1, 2, 3}});
  CHECK(NeighborList(s, 5).size() == 1);
  CHECK(NeighborList(s, 5).pair_count() == 0);
  s = molecule(Positions{{1, 2, 3}, {1, 2, 3}});
  const NeighborList list(s, 5);
  CHECK(list.index() == std::vector<int>{1, 0});
  CHECK(list.distance() == std::vector<double>{0, 0});
  s.cell = Matrix3(3.0 * Matrix3::Identity());
  s.pbc = {true, true, true};
  check_against_brute_force(s, 5);
}

TEST_CASE("neighbour list: a few atoms spread over a million Å") {
  std::mt19937 random(3);
  test::Uniform far(-1e6, 1e6), near(-2, 2);
  Positions positions(300, 3);
  for (int i = 0; i < 300; ++i)
    for (int d = 0; d < 3; ++d) positions(i, d) = i % 3 == 0 ? far(random) : positions(i - 1, d) + near(random);
  Structure s = molecule(positions);
  check_against_brute_force(s, 3);
  CHECK(NeighborList(s, 3).pair_count() > 100);
  s.cell = Matrix3{{7, 0, 0}, {0, 2e6, 1}, {0, 0, 3e6}};
  s.pbc = {true, false, true};
  check_against_brute_force(s, 3);
}

TEST_CASE("neighbour list: 10⁵ atoms, and two distant clusters of them, in a few seconds") {
  const int side = 46, n = side * side * side;
  std::mt19937 random(1);
  test::Uniform uniform(-0.4, 0.4);
  Structure s;
  s.positions.resize(n, 3);
  for (int i = 0; i < n; ++i) {
    s.positions.row(i) << i % side, i / side % side, i / side / side;
    for (int d = 0; d < 3; ++d) s.positions(i, d) = 2.5 * (s.positions(i, d) + uniform(random));
  }
  s.atomic_numbers.assign(static_cast<std::size_t>(n), 14);
  s.cell = Matrix3(2.5 * side * Matrix3::Identity());
  s.pbc = {true, true, true};
  const NeighborList list(s, 5);
  // A random arrangement holds (4/3)πr³ρ neighbours within r, minus the empty space around each atom.
  const double mean = static_cast<double>(list.pair_count()) / n, ideal = 4.0 / 3 * std::numbers::pi * 8;
  CHECK(mean > 0.85 * ideal);
  CHECK(mean < 1.15 * ideal);

  s.pbc = {false, false, false};
  const std::size_t together = NeighborList(s, 5).pair_count();
  for (int i = 0; i < n; ++i)
    if (s.positions(i, 2) > 2.5 * side / 2) s.positions(i, 2) += 1e6;
  const std::size_t apart = NeighborList(s, 5).pair_count();
  CHECK(apart < together);
  CHECK(apart > 0.9 * together);
}

TEST_CASE("neighbour list: impossible requests are refused with a reason") {
  Structure s = random_triclinic(4, 1);
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  for (const double cutoff : {0.0, -1.0, nan, infinity}) CHECK_THROWS_AS(NeighborList(s, cutoff), InputError);

  s.source = "train.xyz:7 (frame 2)";
  for (const double bad : {nan, infinity, -infinity, 1e200}) {
    Structure t = s;
    t.positions(2, 1) = bad;
    const std::string message = message_of<InputError>([&] { NeighborList(t, 5); });
    CHECK(message.find("train.xyz:7 (frame 2): the position of atom 3 (of 4") == 0);
    t.cell.reset();
    CHECK_THROWS_AS(NeighborList(t, 5), InputError);
  }

  Structure t = s;
  t.positions.conservativeResize(3, 3);
  CHECK_THROWS_AS(NeighborList(t, 5), InputError);

  t = s;
  t.cell->row(1).setZero();
  CHECK(message_of<InputError>([&] { NeighborList(t, 5); }).find("cell vector 2") != std::string::npos);
  t.pbc[1] = false;
  CHECK_NOTHROW(NeighborList(t, 5));

  t = s;
  t.cell->row(2) = t.cell->row(0) + 2 * t.cell->row(1);
  CHECK(message_of<InputError>([&] { NeighborList(t, 5); }).find("no volume") != std::string::npos);
  t = s;
  (*t.cell)(0, 0) = nan;
  CHECK_THROWS_AS(NeighborList(t, 5), InputError);
  t = s;
  *t.cell *= 1e-6;
  CHECK(message_of<InputError>([&] { NeighborList(t, 5); }).find("thick") != std::string::npos);
}

TEST_CASE("environments: a view of all atoms and their neighbours") {
  const Structure s = random_triclinic(6, 5, {14, 6});
  const StructureEnvironments environments(s, 4);
  const NeighborList list(s, 4);
  const Environments& view = environments.view();
  REQUIRE(view.size() == 6);
  CHECK(view.cutoff == 4);
  for (int c = 0; c < 6; ++c) CHECK(view.centre[static_cast<std::size_t>(c)] == c);
  CHECK(std::equal(view.atomic_number.begin(), view.atomic_number.end(), s.atomic_numbers.begin(), s.atomic_numbers.end()));
  CHECK(std::equal(view.begin.begin(), view.begin.end(), list.begin().begin(), list.begin().end()));
  CHECK(std::equal(view.neighbor.begin(), view.neighbor.end(), list.index().begin(), list.index().end()));
  CHECK(std::equal(view.distance.begin(), view.distance.end(), list.distance().begin(), list.distance().end()));
  CHECK(std::equal(view.vector.begin(), view.vector.end(), list.vector().begin(), list.vector().end()));
}
