#include <Eigen/LU>
#include <gapkit/active/labeller.hpp>
#include <gapkit/active/perturb.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>

#include "active/crystals.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

TEST_CASE("perturbed: each structure follows from seed and index") {
  Structure crystal = diamond_silicon(1);
  set_targets(crystal, 1, Positions::Zero(8, 3), std::nullopt);
  const PerturbOptions options{.rattle = 0.1, .strain = 0.02, .volume_strain = 0.05, .seed = 5};
  const Structure a = perturbed(crystal, options, 7);
  CHECK(a.positions == perturbed(crystal, options, 7).positions);
  CHECK(*a.cell == *perturbed(crystal, options, 7).cell);
  CHECK(a.positions != perturbed(crystal, options, 8).positions);
  PerturbOptions other = options;
  other.seed = 6;
  CHECK(a.positions != perturbed(crystal, other, 7).positions);
  CHECK(!a.energy);
  CHECK(!a.forces);
  CHECK(a.find_field("energy") == nullptr);
}

TEST_CASE("perturbed: displacements, strains and volumes have the widths asked for") {
  const Structure crystal = diamond_silicon(1);
  constexpr int n = 400;
  double displacement = 0, diagonal = 0, shear = 0, asymmetry = 0, lowest = 10, highest = 0;
  for (std::uint64_t k = 0; k < n; ++k) {
    displacement += (perturbed(crystal, {.rattle = 0.1, .seed = 1}, k).positions - crystal.positions).squaredNorm();
    const Structure strained = perturbed(crystal, {.strain = 0.03, .seed = 2}, k);
    const Matrix3 strain = crystal.cell->inverse() * *strained.cell - Matrix3::Identity();
    diagonal += strain.diagonal().squaredNorm();
    shear += strain(0, 1) * strain(0, 1) + strain(0, 2) * strain(0, 2) + strain(1, 2) * strain(1, 2);
    asymmetry = std::max(asymmetry, largest_difference(strain, Matrix3(strain.transpose())));
    // atoms move with the cell
    CHECK(largest_difference(strained.positions, Positions(crystal.positions * (Matrix3::Identity() + strain))) < 1e-12);
    const double volume = perturbed(crystal, {.volume_strain = 0.2, .seed = 3}, k).volume() / crystal.volume();
    lowest = std::min(lowest, volume);
    highest = std::max(highest, volume);
  }
  const auto tolerance = [](double count) { return 5 / std::sqrt(2 * count); };
  check_close(std::sqrt(displacement / (24 * n)), 0.1, 0.1 * tolerance(24 * n));
  check_close(std::sqrt(diagonal / (3 * n)), 0.03, 0.03 * tolerance(3 * n));
  check_close(std::sqrt(shear / (3 * n)), 0.03, 0.03 * tolerance(3 * n));
  CHECK(asymmetry < 1e-14);
  CHECK(lowest > 0.8);
  CHECK(lowest < 0.81);
  CHECK(highest < 1.2);
  CHECK(highest > 1.19);
}

TEST_CASE("perturbed: keeps a distance, refuses impossible options") {
  const Structure crystal = diamond_silicon(1);
  for (std::uint64_t k = 0; k < 20; ++k)
    CHECK(NeighborList(perturbed(crystal, {.rattle = 0.15, .smallest_distance = 1.9, .seed = 4}, k), 1.9).pair_count() == 0);
  const auto message = [&](const PerturbOptions& options) { return message_of<InputError>([&] { perturbed(crystal, options, 0); }); };
  CHECK(message({.rattle = 0.1, .smallest_distance = 3}).find("closer than 3 Å") != std::string::npos);
  CHECK(message({.rattle = -1}).find("rattle is -1") != std::string::npos);
  CHECK(message({.strain = NAN}).find("strain") != std::string::npos);
  Structure molecule = crystal;
  molecule.cell.reset();
  molecule.pbc = {false, false, false};
  CHECK_THROWS_AS(perturbed(molecule, {.strain = 0.1}, 0), InputError);
  CHECK(perturbed(molecule, {.rattle = 0.1}, 0).positions != molecule.positions);
}
