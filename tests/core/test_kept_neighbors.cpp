#include <gapkit/core/kept_neighbors.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Every array as NeighborList has it.
void check_same_list(const Environments& kept, const Structure& s, double cutoff) {
  const NeighborList list(s, cutoff);
  REQUIRE(kept.size() == s.size());
  CHECK(kept.cutoff == cutoff);
  CHECK(std::vector<int>(kept.atomic_number.begin(), kept.atomic_number.end()) == s.atomic_numbers);
  CHECK(std::vector<std::size_t>(kept.begin.begin(), kept.begin.end()) == list.begin());
  CHECK(std::vector<int>(kept.neighbor.begin(), kept.neighbor.end()) == list.index());
  REQUIRE(kept.vector.size() == list.vector().size());
  double worst = 0;
  for (std::size_t p = 0; p < list.vector().size(); ++p) {
    worst = worse(worst, (kept.vector[p] - list.vector()[p]).norm());
    worst = worse(worst, std::abs(kept.distance[p] - list.distance()[p]));
  }
  CHECK(worst <= 1e-12);
}

void move(Structure& s, double step, std::mt19937& random) {
  std::uniform_real_distribution<double> uniform(-step, step);
  for (double& x : s.positions.reshaped()) x += uniform(random);
}

}  // namespace

TEST_CASE("kept neighbours: small steps and strains use a list again, and it is the one that would be made") {
  std::mt19937 random(81);
  for (const std::array<bool, 3>& pbc : {std::array{true, true, true}, std::array{true, false, true}, std::array{false, false, false}})
    for (const bool with_strain : {false, true}) {
      CAPTURE(pbc[1]);
      CAPTURE(with_strain);
      Structure s = random_triclinic(12, 82, {6, 14});
      s.pbc = pbc;
      KeptNeighbors kept;
      for (int step = 0; step < 60; ++step) {
        CAPTURE(step);
        move(s, 0.01, random);
        if (with_strain) {
          Matrix3 strain = Matrix3::Identity();
          std::uniform_real_distribution<double> uniform(-0.001, 0.001);
          for (double& x : strain.reshaped()) x += uniform(random);
          s = deformed(s, strain);
        }
        check_same_list(kept.update(s, 4.0, 0.6), s, 4.0);
      }
      CHECK(kept.lists_made() <= 30);
      CHECK(kept.lists_made() >= 1);
    }
}

TEST_CASE("kept neighbours: steps of any size, strains, other atoms, cells and cutoffs are noticed") {
  std::mt19937 random(83);
  KeptNeighbors kept;
  Structure s = random_triclinic(10, 84, {6, 14});
  for (int step = 0; step < 60; ++step) {
    CAPTURE(step);
    move(s, 0.02 * (step % 12), random);
    if (step % 7 == 3) s = deformed(s, Matrix3::Identity() * (step % 2 == 0 ? 0.9 : 1.1));
    if (step % 7 == 4) s = rotated(s, static_cast<unsigned>(step));
    if (step % 11 == 5) s.pbc[static_cast<std::size_t>(step % 3)] = !s.pbc[static_cast<std::size_t>(step % 3)];
    if (step % 13 == 6) std::reverse(s.atomic_numbers.begin(), s.atomic_numbers.end());
    if (step == 30) s = random_triclinic(11, 85, {6, 14});
    if (step == 40) s.cell.reset(), s.pbc = {false, false, false};
    const double cutoff = step % 17 == 7 ? 4.5 : 4.0;
    check_same_list(kept.update(s, cutoff, 0.5), s, cutoff);
  }
}

TEST_CASE("kept neighbours: two atoms that approach each other from beyond the skin are seen in time") {
  Structure s;
  s.atomic_numbers = {14, 14};
  s.positions = Positions::Zero(2, 3);
  KeptNeighbors kept;
  for (double x = 5; x > 2; x -= 0.05) {
    s.positions(0, 0) = -x / 2;
    s.positions(1, 0) = x / 2;
    CHECK(kept.update(s, 4.0, 0.5).neighbor.size() == (x < 4.0 ? 2 : 0));
  }
  CHECK(kept.lists_made() <= 8);
}

TEST_CASE("kept neighbours: no skin, a new list each time") {
  const Structure s = random_triclinic(4, 86);
  KeptNeighbors kept;
  for (std::size_t call = 1; call < 4; ++call) {
    check_same_list(kept.update(s, 4.0, 0), s, 4.0);
    CHECK(kept.lists_made() == call);
  }
}
