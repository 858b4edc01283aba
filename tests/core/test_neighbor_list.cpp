#include <omp.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>

#include "core/neighbor_reference.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("neighbour list: equals brute force for random cells, every periodicity, atoms outside the cell") {
  std::mt19937 random(2024);
  int left_handed = 0;
  for (int trial = 0; trial < 160; ++trial) {
    const double length = (trial % 3 == 0) ? 2.5 : (trial % 3 == 1 ? 6.0 : 14.0);
    const Matrix3 cell = random_cell(length, random);
    if (cell.determinant() < 0) ++left_handed;
    const int n = 1 + static_cast<int>(random() % (length < 3 ? 5 : 30));
    Structure s = random_atoms(n, cell, trial % 4 == 0 ? 8.0 : (trial % 4 == 1 ? 1.0 : 0.0), random);
    set_pbc(s, trial % 8);
    CAPTURE(trial);
    for (const double cutoff : {1.3, 3.7, 6.1}) check_against_brute_force(s, cutoff);
  }
  CHECK(left_handed > 20);
}

TEST_CASE("neighbour list: several bins in each direction equal brute force") {
  std::mt19937 random(7);
  for (int mask = 0; mask < 8; ++mask) {
    CAPTURE(mask);
    Structure s = random_atoms(400, random_cell(25, random), 0.7, random);
    set_pbc(s, mask);
    check_against_brute_force(s, 2.2);
    check_against_brute_force(s, 5.0);
  }
}

TEST_CASE("neighbour list: a cutoff of 15 Å in a cell of two atoms") {
  const double a = 5.43;
  Structure s;
  s.cell = Matrix3{{0, a / 2, a / 2}, {a / 2, 0, a / 2}, {a / 2, a / 2, 0}};
  s.pbc = {true, true, true};
  s.atomic_numbers = {14, 14};
  s.positions = Positions{{0, 0, 0}, {a / 4, a / 4, a / 4}};
  check_against_brute_force(s, 15);
  // Diamond: 4 neighbours at a√3/4, 12 at a/√2, 12 at a√11/4
  const auto count = [&](double cutoff) { return NeighborList(s, cutoff).begin()[1]; };
  CHECK(count(2.4) == 4);
  CHECK(count(4.0) == 16);
  CHECK(count(4.6) == 28);
}

TEST_CASE("neighbour list: cells with angles of 20° and of 170°") {
  const double c20 = std::cos(20 * std::numbers::pi / 180);
  // Lower triangular cell with the three angles at 20°
  Matrix3 sharp = Matrix3::Zero();
  sharp(0, 0) = 1;
  sharp(1, 0) = c20;
  sharp(1, 1) = std::sqrt(1 - c20 * c20);
  sharp(2, 0) = c20;
  sharp(2, 1) = (c20 - c20 * c20) / sharp(1, 1);
  sharp(2, 2) = std::sqrt(1 - c20 * c20 - sharp(2, 1) * sharp(2, 1));
  Matrix3 flat = Matrix3::Identity();
  flat(1, 0) = std::cos(170 * std::numbers::pi / 180);
  flat(1, 1) = std::sin(170 * std::numbers::pi / 180);
  std::mt19937 random(99);
  for (const Matrix3& shape : {sharp, flat})
    for (const double length : {4.0, 12.0, 30.0})
      for (int mask = 0; mask < 8; ++mask) {
        CAPTURE(mask);
        CAPTURE(length);
        Structure s = random_atoms(12, length * shape, 1.5, random);
        set_pbc(s, mask);
        check_against_brute_force(s, 5);
      }
}

TEST_CASE("neighbour list: atoms on faces, edges and corners, and cutoffs at exact distances") {
  Structure s;
  s.cell = Matrix3(4.0 * Matrix3::Identity());
  s.pbc = {true, true, true};
  s.positions = Positions{{0, 0, 0}, {4, 0, 0}, {-1e-17, 2, 4}, {2, 2, 2}, {4, 4, 4}, {1, 0, 0}, {-8, 12, 2}};
  s.atomic_numbers.assign(7, 14);
  for (const double cutoff : {1.0, 2.0, 4.0, std::nextafter(4.0, 5.0), 8.0}) check_against_brute_force(s, cutoff);

  // Strictly below the cutoff: a simple cubic lattice has 6 neighbours at 4 Å, none below.
  Structure cubic = s;
  cubic.positions = Positions{{0.3, 0.1, 0.2}};
  cubic.atomic_numbers = {14};
  CHECK(NeighborList(cubic, 4.0).pair_count() == 0);
  CHECK(NeighborList(cubic, std::nextafter(4.0, 5.0)).pair_count() == 6);
}

TEST_CASE("neighbour list: grids commensurate with the bins lose no pair at any edge") {
  // 8 × 8 × 8 atoms at multiples of the cutoff or slightly beside them
  for (const double hair : {0.0, 1e-15, -1e-15, 1e-9, -1e-9}) {
    Structure s;
    s.cell = Matrix3(8.0 * Matrix3::Identity());
    s.pbc = {true, true, false};
    s.positions.resize(512, 3);
    for (int i = 0; i < 512; ++i) s.positions.row(i) << i % 8 * (1 + hair), i / 8 % 8 * (1 - hair), i / 64 * (1 + hair);
    s.atomic_numbers.assign(512, 14);
    CAPTURE(hair);
    for (const double cutoff : {1.0, 1.0 + 1e-12, 2.0}) check_against_brute_force(s, cutoff);
  }
}

TEST_CASE("neighbour list: a pair slightly inside the cutoff is found despite the rounding of distant positions") {
  std::mt19937 random(17);
  for (const double spread : {0.0, 1e3, 1e6}) {
    CAPTURE(spread);
    Structure s = random_atoms(10, random_cell(6, random), spread, random);
    const auto pairs = brute_force(s, 5);
    for (std::size_t p = 0; p < pairs.size(); p += 7) {
      check_against_brute_force(s, pairs[p].distance);  // just outside
      check_against_brute_force(s, std::nextafter(pairs[p].distance, 10));
    }
  }
}

TEST_CASE("neighbour list: symmetric, to the last bit") {
  std::mt19937 random(31);
  for (int trial = 0; trial < 16; ++trial) {
    Structure s = random_atoms(20, random_cell(7, random), 0.6, random);
    set_pbc(s, trial % 8);
    std::vector<Pair> pairs = pairs_of(NeighborList(s, 5)), swapped = pairs;
    REQUIRE(!pairs.empty());
    for (Pair& p : swapped) p = {p.j, p.i, {-p.shift[0], -p.shift[1], -p.shift[2]}, -p.vector, p.distance};
    const auto before = [](const Pair& a, const Pair& b) { return a.key() < b.key(); };
    CHECK(std::is_sorted(pairs.begin(), pairs.end(), before));
    std::sort(swapped.begin(), swapped.end(), before);
    std::size_t different = 0;
    for (std::size_t p = 0; p < pairs.size(); ++p)
      if (pairs[p].key() != swapped[p].key() || pairs[p].vector != swapped[p].vector || pairs[p].distance != swapped[p].distance)
        ++different;
    CHECK(different == 0);
  }
}

TEST_CASE("neighbour list: does not depend on the number of threads") {
  std::mt19937 random(8);
  const Structure s = random_atoms(600, random_cell(20, random), 0.5, random);
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const NeighborList one(s, 4.5);
  omp_set_num_threads(4);
  const NeighborList four(s, 4.5);
  omp_set_num_threads(threads);
  CHECK(one.begin() == four.begin());
  CHECK(one.index() == four.index());
  CHECK(one.shift() == four.shift());
  CHECK(one.distance() == four.distance());
  CHECK(one.vector() == four.vector());
}

TEST_CASE("neighbour list: moving atoms by whole cells changes the shifts only") {
  std::mt19937 random(12);
  const Structure s = random_atoms(15, random_cell(6, random), 0, random);
  Structure moved = s;
  std::vector<Shift> by;
  for (int i = 0; i < s.size(); ++i) {
    const Shift n = {static_cast<int>(random() % 41) - 20, static_cast<int>(random() % 41) - 20, static_cast<int>(random() % 41) - 20};
    by.push_back(n);
    moved.positions.row(i) += Eigen::RowVector3d(n[0], n[1], n[2]) * *s.cell;
  }
  const auto before = pairs_of(NeighborList(s, 5)), after = pairs_of(NeighborList(moved, 5));
  REQUIRE(before.size() == after.size());
  for (std::size_t p = 0; p < before.size(); ++p) {
    REQUIRE(before[p].j == after[p].j);
    for (std::size_t d = 0; d < 3; ++d)
      REQUIRE(after[p].shift[d] ==
              before[p].shift[d] + by[static_cast<std::size_t>(before[p].i)][d] - by[static_cast<std::size_t>(before[p].j)][d]);
    REQUIRE((before[p].vector - after[p].vector).norm() <= 1e-12);
  }
}
