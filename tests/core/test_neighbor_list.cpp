#include <omp.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <numbers>
#include <random>
#include <tuple>

#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Shift = std::array<int, 3>;

struct Pair {
  int i = 0, j = 0;
  Shift shift = {0, 0, 0};
  Vector3 vector = Vector3::Zero();
  double distance = 0;

  auto key() const { return std::tie(i, j, shift); }
};

std::vector<Pair> pairs_of(const NeighborList& list) {
  std::vector<Pair> pairs;
  for (int i = 0; i < list.size(); ++i)
    for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p)
      pairs.push_back({i, list.index()[p], list.shift()[p], list.vector()[p], list.distance()[p]});
  return pairs;
}

/// The definition, taken literally: every pair with every image that could be within the cutoff.
std::vector<Pair> brute_force(const Structure& s, double cutoff) {
  std::array<bool, 3> periodic = {false, false, false};
  Matrix3 cell = Matrix3::Zero(), complete = Matrix3::Zero();
  std::vector<int> rows;
  for (int d = 0; d < 3; ++d)
    if (s.cell && s.pbc[static_cast<std::size_t>(d)]) {
      periodic[static_cast<std::size_t>(d)] = true;
      cell.row(d) = complete.row(d) = s.cell->row(d);
      rows.push_back(d);
    }
  // |n_d| ≤ |r| · |column d of the pseudoinverse| for the image vector r = n · cell.
  Eigen::MatrixXd vectors(rows.size(), 3);
  for (std::size_t k = 0; k < rows.size(); ++k) vectors.row(static_cast<Eigen::Index>(k)) = cell.row(rows[k]);
  const Eigen::MatrixXd inverse =
      rows.empty() ? Eigen::MatrixXd(3, 0) : Eigen::MatrixXd(vectors.transpose() * (vectors * vectors.transpose()).inverse());

  std::vector<Pair> pairs;
  for (int i = 0; i < s.size(); ++i)
    for (int j = 0; j < s.size(); ++j) {
      const Vector3 direct = (s.positions.row(j) - s.positions.row(i)).transpose();
      Shift low = {0, 0, 0}, high = {0, 0, 0};
      for (std::size_t k = 0; k < rows.size(); ++k) {
        // r_ij = direct + S·cell is within the cutoff, so S_d is within cutoff/height of −direct · inverse
        const Eigen::VectorXd column = inverse.col(static_cast<Eigen::Index>(k));
        const double middle = -column.dot(direct), half = cutoff * column.norm();
        low[static_cast<std::size_t>(rows[k])] = static_cast<int>(std::floor(middle - half)) - 1;
        high[static_cast<std::size_t>(rows[k])] = static_cast<int>(std::ceil(middle + half)) + 1;
      }
      for (int x = low[0]; x <= high[0]; ++x)
        for (int y = low[1]; y <= high[1]; ++y)
          for (int z = low[2]; z <= high[2]; ++z) {
            if (i == j && x == 0 && y == 0 && z == 0) continue;
            const Vector3 vector = direct + cell.transpose() * Vector3(x, y, z);
            if (vector.norm() < cutoff) pairs.push_back({i, j, {x, y, z}, vector, vector.norm()});
          }
    }
  return pairs;
}

/// Compares entry by entry; both are sorted by (i, j, S) by definition.
void check_against_brute_force(const Structure& s, double cutoff) {
  const NeighborList list(s, cutoff);
  const auto found = pairs_of(list), expected = brute_force(s, cutoff);
  CHECK(list.size() == s.size());
  CHECK(list.cutoff() == cutoff);
  CHECK(list.pair_count() == found.size());
  REQUIRE(found.size() == expected.size());
  std::size_t wrong = 0;
  double worst = 0;
  const double scale = s.size() > 0 ? 1 + s.positions.cwiseAbs().maxCoeff() : 1;
  for (std::size_t p = 0; p < found.size(); ++p) {
    if (found[p].key() != expected[p].key()) ++wrong;
    const double error =
        worse(largest_difference(found[p].vector, expected[p].vector), std::abs(found[p].distance - found[p].vector.norm()));
    worst = worse(worst, error);
    if (!(found[p].distance < cutoff)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(worst <= 1e-14 * scale);
}

Structure random_atoms(int n, const Matrix3& cell, double spread, std::mt19937& random) {
  test::Uniform uniform(-spread, 1 + spread);
  Structure s;
  s.cell = cell;
  s.pbc = {true, true, true};
  s.atomic_numbers.assign(static_cast<std::size_t>(n), 14);
  s.positions.resize(n, 3);
  for (int i = 0; i < n; ++i) {
    Eigen::RowVector3d fractional;
    for (double& f : fractional) f = uniform(random);
    s.positions.row(i) = fractional * cell;
  }
  return s;
}

/// Any shape and handedness, but not flatter than a fifth of the unit volume.
Matrix3 random_cell(double length, std::mt19937& random) {
  test::Uniform uniform(-1, 1);
  for (;;) {
    Matrix3 cell;
    for (int k = 0; k < 9; ++k) cell(k / 3, k % 3) = uniform(random);
    const double norms = cell.row(0).norm() * cell.row(1).norm() * cell.row(2).norm();
    if (std::abs(cell.determinant()) > 0.2 * norms) return cell * length;
  }
}

void set_pbc(Structure& s, int mask) {
  s.pbc = {(mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0};
}

Structure molecule(const Positions& positions) {
  Structure s;
  s.positions = positions;
  s.atomic_numbers.assign(static_cast<std::size_t>(positions.rows()), 6);
  return s;
}

}  // namespace

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
  // 8 × 8 × 8 atoms at multiples of the cutoff or a hair beside it
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

TEST_CASE("neighbour list: a pair a hair inside the cutoff is not lost to the rounding of distant positions") {
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
    // The vector without periodicity may even depend on the others.
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
  // A random arrangement holds (4/3)πr³ρ neighbours within r, less the hole around each atom.
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
