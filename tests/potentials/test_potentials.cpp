// Potentials: derivatives, additivity, known values, sums, a structure-level part, files with errors.

#include <cmath>
#include <gapkit/core/errors.hpp>

#include "support/diamond.hpp"
#include "support/spring_potential.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

const std::string tables = R"(# distance (Å), energy (eV)
pair Si Si
0.8 30
1.2 11
1.7 3.2   # a comment
2.3 0.4
3.0 0
pair C Si
0.7 22
1.1 6
1.6 1.5
2.4 0
)";

/// Sets of parameters, at least one for each kind in the table.
std::vector<PotentialPointer> all_potentials() {
  const std::map<std::string, std::vector<Parameters>> given = {
      {"zbl", {{{"inner", 1.2}, {"outer", 2.6}}}},
      {"pair_spline", {{{"table", tables}}}},
      {"stillinger_weber", {{}, {{"q", 2.0}, {"lambda", 30.0}, {"sigma", 2.3}}}},
      {"lennard_jones", {{{"sigma", 2.2}, {"epsilon", 0.4}, {"cutoff", 5.0}}}},
      {"coulomb",
       {{{"charges", "C = 0.7, Si = -0.4"}, {"accuracy", 1e-13}},
        {{"charges", "C = 0.7, Si = -0.4"}, {"widths", "Si = 0.8"}, {"accuracy", 1e-13}}}},
      {"dispersion",
       {{{"cutoff", 7.0}, {"c6", "C = 280, Si = 1800"}},
        {{"cutoff", 8.0},
         {"damping", "bj"},
         {"radius_scale", 0.3},
         {"tail", false},
         {"volumes", "C = 0.8"},
         {"c6", "C = 280, Si = 1800"}}}},
  };
  std::vector<PotentialPointer> result;
  for (const PotentialKind& kind : potential_kinds()) {
    const std::string name = kind.name;
    CAPTURE(name);
    REQUIRE(given.count(name) == 1);
    for (const Parameters& parameters : given.at(name)) {
      result.push_back(make_potential(name, parameters));
      CHECK(result.back()->name() == name);
    }
  }
  result.push_back(std::make_shared<SpringPotential>(0.7));
  return result;
}

PotentialPointer named(const std::string& name) {
  for (const PotentialPointer& p : all_potentials())
    if (p->name() == name) return p;
  throw std::invalid_argument(name);
}

std::vector<int> elements_of(const Potential& potential) {
  return potential.name() == "stillinger_weber" ? std::vector{14} : std::vector{6, 14};
}

/// A triclinic cell, a cell smaller than the cutoff, a molecule, a slab.
std::vector<Structure> structures_of(const std::vector<int>& elements) {
  std::vector<Structure> all = {random_triclinic(12, 5, elements), random_triclinic(2, 6, elements), random_triclinic(7, 7, elements),
                                random_triclinic(9, 8, elements)};
  all[2].cell.reset();
  all[2].pbc = {false, false, false};
  all[3].pbc = {true, true, false};
  return all;
}

Structure dimer(int z1, int z2, double distance) {
  Structure s;
  s.atomic_numbers = {z1, z2};
  s.positions = Positions::Zero(2, 3);
  s.positions(1, 0) = distance;
  return s;
}

void check_derivatives(std::span<const PotentialPointer> potentials, const Structure& structure) {
  const Evaluation analytic = evaluate(potentials, structure);
  Positions forces = analytic.forces;
  constexpr double step = 1e-5;
  for (int i = 0; i < structure.size(); ++i)
    for (int k = 0; k < 3; ++k) {
      Structure up = structure, down = structure;
      up.positions(i, k) += step;
      down.positions(i, k) -= step;
      forces(i, k) = -(evaluate(potentials, up).energy - evaluate(potentials, down).energy) / (2 * step);
    }
  const double scale = analytic.forces.cwiseAbs().maxCoeff();
  REQUIRE(scale > 1e-2);
  CHECK(largest_difference(analytic.forces, forces) <= 1e-6 + 1e-7 * scale);
  Matrix3 virial;
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k) {
      Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
      up(i, k) += step;
      down(i, k) -= step;
      virial(i, k) =
          -(evaluate(potentials, deformed(structure, up)).energy - evaluate(potentials, deformed(structure, down)).energy) / (2 * step);
    }
  CHECK(largest_difference(analytic.virial, virial) <= 1e-5 + 1e-6 * analytic.virial.cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("every potential: forces and virial equal central differences of the energy") {
  for (const PotentialPointer& p : all_potentials()) {
    const std::string name = p->name();
    CAPTURE(name);
    for (const Structure& structure : structures_of(elements_of(*p))) {
      CAPTURE(structure.size());
      check_derivatives({&p, 1}, structure);
    }
  }
}

TEST_CASE("a list of potentials is evaluated as the sum of its members") {
  const std::vector<PotentialPointer> all = all_potentials();
  for (const Structure& structure : structures_of({14})) {
    const Evaluation together = evaluate(all, structure);
    Evaluation sum;
    sum.forces = Positions::Zero(structure.size(), 3);
    for (const PotentialPointer& p : all) {
      const Evaluation one = evaluate(*p, structure);
      sum.energy += one.energy;
      sum.forces += one.forces;
      sum.virial += one.virial;
    }
    check_close(together.energy, sum.energy, 1e-10, 1e-12);
    CHECK(largest_difference(together.forces, sum.forces) <= 1e-10 + 1e-12 * sum.forces.cwiseAbs().maxCoeff());
    CHECK(largest_difference(together.virial, sum.virial) <= 1e-10 + 1e-12 * sum.virial.cwiseAbs().maxCoeff());
    check_derivatives(all, structure);
  }
  CHECK(evaluate(std::span<const PotentialPointer>(), diamond(5.4)).energy == 0);
}

TEST_CASE("subtracted potentials leave the rest of the targets; absent targets stay absent") {
  const std::vector<PotentialPointer> all = all_potentials();
  const Structure plain = random_triclinic(6, 4, {14});
  const Evaluation sum = evaluate(all, plain);
  Structure s = plain;
  s.energy = 3.0;
  s.forces = Positions::Constant(s.size(), 3, 0.5);
  subtract_potentials(all, s);
  CHECK(*s.energy == 3.0 - sum.energy);
  CHECK(largest_difference(*s.forces, Positions(Positions::Constant(6, 3, 0.5) - sum.forces)) == 0);
  CHECK(!s.virial);
  s = plain;
  s.virial = Matrix3::Identity();
  subtract_potentials(all, s);
  CHECK(largest_difference(*s.virial, Matrix3(Matrix3::Identity() - sum.virial)) == 0);
  CHECK(!s.energy);
}

TEST_CASE("local parts: shares sum to the energy, a share needs its own centre only, neighbours beyond the cutoff do nothing") {
  for (const PotentialPointer& p : all_potentials()) {
    if (p->needs_structure()) continue;
    const std::string name = p->name();
    CAPTURE(name);
    const Structure s = random_triclinic(7, 9, elements_of(*p));
    const StructureEnvironments exact(s, p->cutoff()), wide(s, p->cutoff() + 1.3);
    const auto n = static_cast<std::size_t>(s.size());
    std::vector<double> shares(n, 0.0), of_wide(n, 0.0), without_derivatives(n, 0.0);
    std::vector<Vector3> slopes(exact.view().neighbor.size(), Vector3::Zero()), wide_slopes(wide.view().neighbor.size(), Vector3::Zero());
    p->add(exact.view(), shares, slopes);
    p->add(wide.view(), of_wide, wide_slopes);
    p->add(exact.view(), without_derivatives, {});
    CHECK(shares == of_wide);
    CHECK(shares == without_derivatives);
    for (std::size_t q = 0; q < wide_slopes.size(); ++q)
      if (wide.view().distance[q] >= p->cutoff()) CHECK(wide_slopes[q] == Vector3::Zero());
    double sum = 0;
    for (const double share : shares) sum += share;
    CHECK(sum == evaluate(*p, s).energy);
    // Centres 2 and 3 only
    const Environments& all = exact.view();
    const std::vector<int> centre = {2, 3};
    const std::vector<std::size_t> begin(all.begin.begin() + 2, all.begin.begin() + 5);
    std::vector<double> some(n, 0.0);
    p->add({centre, all.atomic_number, begin, all.neighbor, all.vector, all.distance, all.cutoff}, some, {});
    for (std::size_t i = 0; i < n; ++i) CHECK(some[i] == (i == 2 || i == 3 ? shares[i] : 0.0));
  }
}

TEST_CASE("every potential: supercells and rotated structures have the same energy per atom") {
  for (const PotentialPointer& p : all_potentials()) {
    const std::string name = p->name();
    CAPTURE(name);
    const Structure s = random_triclinic(4, 11, elements_of(*p));
    const double energy = evaluate(*p, s).energy;
    if (!p->needs_structure()) check_close(evaluate(*p, supercell(s, 2, 1, 3)).energy, 6 * energy, 0, 1e-11);
    check_close(evaluate(*p, rotated(s, 3)).energy, energy, 0, 1e-11);
  }
}

TEST_CASE("every potential: continuous at the cutoff, zero beyond it, strongly repulsive at short distance") {
  for (const PotentialPointer& p : all_potentials()) {
    if (p->needs_structure()) continue;
    const std::string name = p->name();
    CAPTURE(name);
    const Evaluation inside = evaluate(*p, dimer(14, 14, p->cutoff() - 1e-4));
    CHECK(std::abs(inside.energy) < (name == "pair_spline" ? 1e-5 : 1e-10));
    CHECK(largest_entry(inside.forces) < (name == "pair_spline" ? 1e-2 : 1e-6));
    CHECK(std::isfinite(evaluate(*p, dimer(14, 14, std::nextafter(p->cutoff(), 0.0))).energy));
    CHECK(evaluate(*p, dimer(14, 14, p->cutoff() + 1e-9)).energy == 0);
    CHECK(evaluate(*p, dimer(14, 14, 0.5)).energy > 10);
  }
}

TEST_CASE("zbl: the screened repulsion of two silicon nuclei") {
  // 14² · 14.39964548 eV Å / 1 Å · φ(1/a), a = 0.88534 · 0.529177 / (2 · 14^0.23) Å
  const double a = 0.88534 * 0.529177210903 / (2 * std::pow(14.0, 0.23)), x = 1 / a;
  const double phi = 0.18175 * std::exp(-3.1998 * x) + 0.50986 * std::exp(-0.94229 * x) + 0.28022 * std::exp(-0.4029 * x) +
                     0.02817 * std::exp(-0.20162 * x);
  check_close(evaluate(*named("zbl"), dimer(14, 14, 1.0)).energy, 196 * 14.3996454784 * phi, 0, 1e-10);
}

TEST_CASE("pair_spline goes through its points, and has an energy for listed pairs only") {
  const PotentialPointer spline = named("pair_spline");
  for (const auto& [r, v] : {std::pair{0.8, 30.0}, {1.2, 11.0}, {1.7, 3.2}, {2.3, 0.4}, {3.0, 0.0}})
    check_close(evaluate(*spline, dimer(14, 14, r)).energy, v, 1e-12);
  check_close(evaluate(*spline, dimer(14, 6, 1.1)).energy, 6, 1e-12);
  CHECK(evaluate(*spline, dimer(6, 6, 1.1)).energy == 0);
  // A straight line before the first point
  const double slope = evaluate(*spline, dimer(14, 14, 0.6)).energy - evaluate(*spline, dimer(14, 14, 0.5)).energy;
  check_close(evaluate(*spline, dimer(14, 14, 0.4)).energy - evaluate(*spline, dimer(14, 14, 0.3)).energy, slope, 1e-9);
  CHECK(slope < 0);
}

TEST_CASE("stillinger_weber: the crystal has −2ε per atom and no pressure at a = 5.431 Å") {
  const auto potential = make_potential("stillinger_weber");
  const Evaluation crystal = evaluate(*potential, diamond(5.431));
  check_close(crystal.energy / 2, -4.3366, 1e-4);
  CHECK(largest_entry(crystal.forces) < 1e-12);
  // C11 = 151.4 GPa, C12 = 76.4 GPa: Cowley, Phys. Rev. Lett. 60, 2379 (1988); B = (C11 + 2 C12)/3.
  const double a = 5.431, h = 1e-3;
  const auto pressure = [&](double edge) { return evaluate(*potential, diamond(edge)).virial.trace() / (3 * edge * edge * edge / 4); };
  CHECK(std::abs(pressure(a)) * 160.2 < 0.01);
  check_close(-a / 3 * (pressure(a + h) - pressure(a - h)) / (2 * h) * 160.21766, 101.4, 0.5);
}

TEST_CASE("lennard_jones: a dimer, by hand") {
  const auto potential = make_potential("lennard_jones", {{"sigma", 2.0}, {"epsilon", 1.0}, {"cutoff", 200.0}});
  const Structure s = dimer(18, 18, 2.0 * std::pow(2.0, 1.0 / 6.0));
  check_close(evaluate(*potential, s).energy, -1.0, 1e-6);  // the shift at this cutoff is negligible
  CHECK(largest_entry(evaluate(*potential, s).forces) < 1e-6);
}

TEST_CASE("potentials refuse unknown elements, with the structure's place") {
  const auto potential = make_potential("stillinger_weber");
  Structure germanium = diamond(5.4, 32);
  germanium.source = "a.xyz:7 (frame 2)";
  const std::string expected = "a.xyz:7 (frame 2): stillinger_weber: the parameters are for Si, found Ge";
  CHECK(message_of<InputError>([&] { evaluate(*potential, germanium); }) == expected);
  germanium.energy = 1.0;
  CHECK(message_of<InputError>([&] { subtract_potentials({&potential, 1}, germanium); }) == expected);
  const StructureEnvironments environments(germanium, potential->cutoff());
  std::vector<double> shares(2, 0.0);
  CHECK_THROWS_AS(potential->add(environments.view(), shares, {}), InputError);
  Structure together = diamond(5.4);
  together.positions.row(1) = together.positions.row(0);
  for (const char* name : {"zbl", "stillinger_weber", "lennard_jones"}) {
    const std::string message = message_of<NumericalError>([&] { evaluate(*make_potential(name), together); });
    CHECK(message.find(name) != std::string::npos);
  }
  CHECK(message_of<InputError>([] { make_potential("stillinger_webber"); }).find("'stillinger_weber'") != std::string::npos);
  CHECK(message_of<InputError>([] { make_potential("lennard_jones", {{"epsilom", 1.0}}); }).find("'epsilon'") != std::string::npos);
}

TEST_CASE("pair tables with mistakes are refused with file and line") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    const std::string path = folder.write("pairs.txt", text).string();
    return message_of<InputError>([&] { read_pair_tables(path); });
  };
  CHECK(message(tables).empty());
  for (const auto& [content, part] : {std::pair<std::string, std::string>{"", "no line 'pair X Y'"},
                                      {"1 2\n", ":1: found '1' before"},
                                      {"pair Si Xx\n", ":1: expected 'pair' and two elements"},
                                      {"pair Si Si\n1 2\n2 1\n3 0\n", "3 points, expected at least 4"},
                                      {"pair Si Si\n1 2\n2 1\n2 1\n3 0\n", ":4: distances must ascend"},
                                      {"pair Si Si\n1 2\n2 1\n3 0.5\n4 0.1\n", "expected 0: it would jump"},
                                      {"pair Si Si\n1 2\n2 nan\n3 0.5\n4 0\n", ":3: expected a distance"},
                                      {"pair Si C\n1 2\n2 1\n3 0.5\n4 0\npair C Si\n", "a second table"}}) {
    const std::string text = content;
    CAPTURE(text);
    CHECK(message(text).find(part) != std::string::npos);
  }
  CHECK(message_of<InputError>([&] { read_pair_tables((folder.path() / "missing").string()); }).find("cannot be read") !=
        std::string::npos);
}
