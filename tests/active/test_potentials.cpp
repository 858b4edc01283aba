#include <gapkit/active/labeller.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Structure diamond(double a, int element = 14) {
  Structure s;
  s.cell = Matrix3(a / 2 * (Matrix3() << 0, 1, 1, 1, 0, 1, 1, 1, 0).finished());
  s.pbc = {true, true, true};
  s.atomic_numbers = {element, element};
  s.positions.resize(2, 3);
  s.positions << 0, 0, 0, a / 4, a / 4, a / 4;
  return s;
}

/// A triclinic cell, a cell smaller than the cutoff, a molecule, a slab.
std::vector<Structure> structures_for_derivatives(int element) {
  std::vector<Structure> all = {random_triclinic(12, 5, {element}), random_triclinic(2, 6, {element}), random_triclinic(7, 7, {element}),
                                random_triclinic(9, 8, {element})};
  all[2].cell.reset();
  all[2].pbc = {false, false, false};
  all[3].pbc = {true, true, false};
  return all;
}

struct Case {
  std::string kind;
  Parameters parameters;
};
std::vector<Case> cases() {
  return {{"stillinger_weber", {}},
          {"stillinger_weber", {{"q", 2.0}, {"lambda", 30.0}, {"sigma", 2.3}}},
          {"lennard_jones", {{"sigma", 2.2}, {"epsilon", 0.4}, {"cutoff", 5.0}}}};
}

}  // namespace

TEST_CASE("every potential: forces and virial equal central differences of the energy") {
  for (const auto& [name, parameters] : cases()) {
    const std::string kind = name;
    const auto potential = make_potential(kind, parameters);
    for (const Structure& structure : structures_for_derivatives(14)) {
      CAPTURE(kind);
      CAPTURE(structure.size());
      const Evaluation analytic = potential->compute(structure);
      REQUIRE(analytic.forces.cwiseAbs().maxCoeff() > 1e-2);
      Positions forces = analytic.forces;
      constexpr double step = 1e-5;
      for (int i = 0; i < structure.size(); ++i)
        for (int k = 0; k < 3; ++k) {
          Structure up = structure, down = structure;
          up.positions(i, k) += step;
          down.positions(i, k) -= step;
          forces(i, k) = -(potential->compute(up).energy - potential->compute(down).energy) / (2 * step);
        }
      const double scale = analytic.forces.cwiseAbs().maxCoeff();
      CHECK(largest_difference(analytic.forces, forces) < 1e-7 * scale);
      Matrix3 virial;
      for (int i = 0; i < 3; ++i)
        for (int k = 0; k < 3; ++k) {
          Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
          up(i, k) += step;
          down(i, k) -= step;
          virial(i, k) =
              -(potential->compute(deformed(structure, up)).energy - potential->compute(deformed(structure, down)).energy) / (2 * step);
        }
      CHECK(largest_difference(analytic.virial, virial) < 1e-6 * analytic.virial.cwiseAbs().maxCoeff());
    }
  }
}

TEST_CASE("every potential: energies of supercells and rotated structures agree") {
  for (const auto& [name, parameters] : cases()) {
    const std::string kind = name;
    CAPTURE(kind);
    const auto potential = make_potential(kind, parameters);
    const Structure small = random_triclinic(4, 11, {14});
    const double energy = potential->compute(small).energy;
    check_close(potential->compute(supercell(small, 2, 1, 3)).energy, 6 * energy, 0, 1e-11);
    check_close(potential->compute(rotated(small, 3)).energy, energy, 0, 1e-11);
  }
}

TEST_CASE("stillinger_weber: the crystal has −2ε per atom and no pressure at a = 5.431 Å") {
  const auto potential = make_potential("stillinger_weber");
  const Evaluation crystal = potential->compute(diamond(5.431));
  check_close(crystal.energy / 2, -4.3366, 1e-4);
  CHECK(largest_entry(crystal.forces) < 1e-12);
  // C11 = 151.4 GPa, C12 = 76.4 GPa: Cowley, Phys. Rev. Lett. 60, 2379 (1988); B = (C11 + 2 C12)/3.
  const double a = 5.431, h = 1e-3;
  const auto pressure = [&](double edge) { return potential->compute(diamond(edge)).virial.trace() / (3 * edge * edge * edge / 4); };
  CHECK(std::abs(pressure(a)) * 160.2 < 0.01);
  check_close(-a / 3 * (pressure(a + h) - pressure(a - h)) / (2 * h) * 160.21766, 101.4, 0.5);
}

TEST_CASE("lennard_jones: a dimer, by hand") {
  const auto potential = make_potential("lennard_jones", {{"sigma", 2.0}, {"epsilon", 1.0}, {"cutoff", 200.0}});
  Structure dimer;
  dimer.atomic_numbers = {18, 18};
  dimer.positions.resize(2, 3);
  dimer.positions << 0, 0, 0, 2.0 * std::pow(2.0, 1.0 / 6.0), 0, 0;
  check_close(potential->compute(dimer).energy, -1.0, 1e-6);  // the cutoff is so far that the shift is nothing
  CHECK(largest_entry(potential->compute(dimer).forces) < 1e-6);
}

TEST_CASE("every potential: energy and force are continuous at the cutoff") {
  for (const auto& [name, parameters] : cases()) {
    const std::string kind = name;
    CAPTURE(kind);
    const auto potential = make_potential(kind, parameters);
    Structure dimer;
    dimer.atomic_numbers = {14, 14};
    dimer.positions = Positions::Zero(2, 3);
    dimer.positions(1, 0) = potential->cutoff() - 1e-4;
    const Evaluation inside = potential->compute(dimer);
    CHECK(std::abs(inside.energy) < 1e-12);
    CHECK(largest_entry(inside.forces) < 1e-8);
    dimer.positions(1, 0) = std::nextafter(potential->cutoff(), 0.0);
    CHECK(std::isfinite(potential->compute(dimer).energy));
  }
}

TEST_CASE("potentials refuse what they do not know") {
  const auto potential = make_potential("stillinger_weber");
  CHECK(message_of<InputError>([&] { potential->compute(diamond(5.4, 32)); }).find("found Ge") != std::string::npos);
  Structure together = diamond(5.4);
  together.positions.row(1) = together.positions.row(0);
  CHECK_THROWS_AS(potential->compute(together), NumericalError);
  CHECK_THROWS_AS(make_potential("lennard_jones")->compute(together), NumericalError);
  CHECK(message_of<InputError>([] { make_potential("stillinger_webber"); }).find("'stillinger_weber'") != std::string::npos);
  CHECK(message_of<InputError>([] { make_potential("lennard_jones", {{"epsilom", 1.0}}); }).find("'epsilon'") != std::string::npos);
}

TEST_CASE("built-in labellers: order, targets, failures, and labels that survive a file") {
  LabellerOptions options;
  options.kind = "stillinger_weber";
  const auto labeller = make_labeller(options);
  std::vector<Structure> structures;
  for (unsigned seed = 0; seed < 70; ++seed) structures.push_back(random_triclinic(3 + static_cast<int>(seed % 4), 100 + seed, {14}));
  structures[3].atomic_numbers[0] = 6;
  structures[5].cell.reset();
  structures[5].pbc = {false, false, false};
  structures[7].set_field("REF_energy", 1.0);
  structures[7].set_field("stress", std::vector<double>(6, 1.0));
  structures[7].set_field("note", std::string("kept"));
  double done = 0;
  const std::vector<Label> labels = labeller->label(structures, [&](const ProgressEvent& event) { done = event.done; });
  CHECK(done == 70);
  REQUIRE(labels.size() == structures.size());
  const auto potential = make_potential("stillinger_weber");
  const TemporaryFolder folder;
  for (std::size_t k = 0; k < labels.size(); ++k) {
    CAPTURE(k);
    if (k == 3) {
      CHECK(!labels[k].structure);
      CHECK(labels[k].failure.find("found C") != std::string::npos);
      continue;
    }
    REQUIRE(labels[k].structure);
    CHECK(labels[k].failure.empty());
    CHECK(*labels[k].structure->energy == potential->compute(structures[k]).energy);
    CHECK(labels[k].structure->virial.has_value() == (k != 5));
    const auto path = folder.path() / "label.xyz";
    ExtxyzWriter writer(path);
    writer.write(*labels[k].structure);
    writer.commit();
    Structure read = read_extxyz(path).at(0);
    assign_targets(read, {});
    CHECK(read.energy == labels[k].structure->energy);
    CHECK(*read.forces == *labels[k].structure->forces);
    if (k != 5) CHECK(largest_difference(*read.virial, *labels[k].structure->virial) < 1e-12);
    if (k == 7) CHECK(read.find_field("note") != nullptr);
  }
  CHECK(message_of<InputError>([] { make_labeller({.kind = "stillinger"}); }).find("valid:") != std::string::npos);
}

TEST_CASE("given: structures keep their targets, those without are failures") {
  const auto labeller = make_labeller({.kind = "given"});
  Structure with = diamond(5.4), without = diamond(5.4);
  set_targets(with, -8.0, Positions::Zero(2, 3), std::nullopt);
  without.source = "pool.xyz:7 (frame 2)";
  const auto labels = labeller->label({with, without});
  CHECK(*labels[0].structure->energy == -8.0);
  CHECK(!labels[1].structure);
  CHECK(labels[1].failure == "pool.xyz:7 (frame 2): the structure carries no energy");
}
