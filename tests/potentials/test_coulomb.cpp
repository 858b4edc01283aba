// Coulomb sums: reference numbers, Madelung constants, derivatives, independence of the parameters, errors.

#include <chrono>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/math/instruction_set.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/potentials/coulomb.hpp>
#include <numbers>

#include "potentials/long_range_reference.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct Ions {
  Structure structure;
  std::vector<double> charges, widths;
  ChargeCloud cloud() const { return {structure, charges, widths}; }
};

Ions ions_of(const nlohmann::json& entry) {
  Ions ions{structure_of(entry), {}, {}};
  ions.charges = column_of(ions.structure, "charge");
  ions.widths = column_of(ions.structure, "sigma");
  return ions;
}

CoulombOptions precise(bool self_energy = false) {
  return {.accuracy = 1e-13, .self_energy = self_energy};
}

/// Random charges in a random cell with the given periodicity; `width` 0: points.
Ions random_ions(int atoms, unsigned seed, std::array<bool, 3> pbc, double width, double total) {
  Ions ions{random_triclinic(atoms, seed, {11, 17}), {}, {}};
  ions.structure.pbc = pbc;
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit(-1, 1);
  double sum = 0;
  for (int i = 0; i < atoms; ++i) {
    ions.charges.push_back(unit(random));
    sum += ions.charges.back();
    ions.widths.push_back(width * (1.5 + unit(random)));
  }
  for (double& q : ions.charges) q += (total - sum) / atoms;
  return ions;
}

double energy_of(const Ions& ions, const CoulombOptions& options) {
  CoulombOptions energy_only = options;
  energy_only.derivatives = false;
  return coulomb_sum(ions.cloud(), energy_only).energy;
}

/// Forces, virial and potentials against central differences of the energy.
void check_differences(const Ions& ions, const CoulombOptions& options) {
  constexpr double step = 1e-4;
  const CoulombSum sum = coulomb_sum(ions.cloud(), options);
  Positions forces = sum.forces;
  Vector potential = sum.potential;
  for (int i = 0; i < ions.structure.size(); ++i) {
    for (int k = 0; k < 3; ++k) {
      Ions up = ions, down = ions;
      up.structure.positions(i, k) += step;
      down.structure.positions(i, k) -= step;
      forces(i, k) = -(energy_of(up, options) - energy_of(down, options)) / (2 * step);
    }
    Ions up = ions, down = ions;
    up.charges[static_cast<std::size_t>(i)] += step;
    down.charges[static_cast<std::size_t>(i)] -= step;
    const bool is_wire = std::count(ions.structure.pbc.begin(), ions.structure.pbc.end(), true) == 1;
    if (!is_wire) potential[i] = (energy_of(up, options) - energy_of(down, options)) / (2 * step);
  }
  Matrix3 virial;
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k) {
      Matrix3 up = Matrix3::Identity(), down = Matrix3::Identity();
      up(i, k) += step;
      down(i, k) -= step;
      Ions a = ions, b = ions;
      a.structure = deformed(ions.structure, up);
      b.structure = deformed(ions.structure, down);
      virial(i, k) = -(energy_of(a, options) - energy_of(b, options)) / (2 * step);
    }
  CHECK(largest_entry(sum.forces) > 0.01);
  CHECK(largest_difference(sum.forces, forces) <= 1e-6 * (1 + largest_entry(sum.forces)));
  CHECK(largest_difference(sum.potential, potential) <= 1e-7 * (1 + largest_entry(sum.potential)));
  CHECK(largest_difference(sum.virial, virial) <= 1e-6 * (1 + largest_entry(sum.virial)));
}

const std::array<std::array<bool, 3>, 5> periodicities = {
    {{true, true, true}, {true, true, false}, {false, true, true}, {false, true, false}, {false, false, false}}};

/// Energy per pair of ions times r0/k_e of ions at fractional positions.
double madelung(const Matrix3& cell, const std::vector<Vector3>& fractional, const std::vector<double>& charges, double r0,
                std::array<bool, 3> pbc = {true, true, true}) {
  Ions ions;
  ions.structure.cell = cell;
  ions.structure.pbc = pbc;
  ions.structure.positions.resize(static_cast<Eigen::Index>(fractional.size()), 3);
  for (std::size_t i = 0; i < fractional.size(); ++i)
    ions.structure.positions.row(static_cast<Eigen::Index>(i)) = fractional[i].transpose() * cell;
  ions.structure.atomic_numbers.assign(fractional.size(), 11);
  ions.charges = charges;
  return -energy_of(ions, precise()) * r0 / coulomb_constant;
}

}  // namespace

TEST_CASE("Coulomb: energies, potentials, forces and virials of the reference") {
  const nlohmann::json& cases = long_range_reference().at("coulomb");
  REQUIRE(cases.size() > 20);
  for (const auto& [name, entry] : cases.items()) {
    const std::string label = name;
    CAPTURE(label);
    const Ions ions = ions_of(entry);
    const CoulombSum sum = coulomb_sum(ions.cloud(), precise(entry.at("self_energy")));
    check_close(sum.energy, entry.at("energy"), 0, 1e-9);
    const Vector potential = vector_of(entry.at("potential"));
    CHECK(largest_difference(sum.potential, potential) <= 1e-9 * (1 + largest_entry(potential)));
    const Matrix forces = matrix_of(entry.at("forces")), virial = matrix_of(entry.at("virial"));
    CHECK(largest_difference(sum.forces, forces) <= 1e-9 * (1 + largest_entry(forces)));
    CHECK(largest_difference(sum.virial, virial) <= 1e-9 * (1 + largest_entry(virial)));
    const Eigen::Map<const Vector> q(ions.charges.data(), static_cast<Eigen::Index>(ions.charges.size()));
    check_close(sum.energy, 0.5 * q.dot(sum.potential), 1e-12, 1e-13);
  }
}

TEST_CASE("Coulomb: Madelung constants of crystals, a layer and a chain") {
  Matrix3 fcc;
  fcc << 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0;
  const Matrix3 cubic = Matrix3::Identity();
  const Vector3 zero = Vector3::Zero(), half = Vector3::Constant(0.5), quarter = Vector3::Constant(0.25);
  check_close(madelung(fcc, {zero, half}, {1, -1}, 0.5), 1.747564594633182190636, 0, 1e-12);
  check_close(madelung(cubic, {zero, half}, {1, -1}, std::sqrt(3.0) / 2), 1.762674773070988, 0, 1e-12);
  check_close(madelung(fcc, {zero, quarter}, {1, -1}, std::sqrt(3.0) / 4), 1.638055053388789, 0, 1e-12);
  check_close(madelung(fcc, {zero, quarter, -quarter}, {2, -1, -1}, std::sqrt(3.0) / 4), 5.03878487984856725, 0, 1e-12);
  const Matrix3 edges = Vector3(1, 1, 7).asDiagonal();
  check_close(madelung(edges, {zero, Vector3(0.5, 0.5, 0)}, {1, -1}, std::sqrt(0.5), {true, true, false}), 1.6155426267128248, 0, 1e-12);
  check_close(madelung(cubic, {zero, Vector3(0, 0.5, 0)}, {1, -1}, 0.5, {false, true, false}), 2 * std::numbers::ln2, 0, 1e-12);
  // One ion in a uniform background: −2.8372974794806 k_e q²/2L
  check_close(madelung(cubic, {zero}, {1}, 1), 1.4186487397403105, 0, 1e-12);
}

TEST_CASE("Coulomb: forces, virial and potentials equal central differences, for every periodicity, points and Gaussians") {
  unsigned seed = 31;
  for (const auto& pbc : periodicities)
    for (const double width : {0.0, 0.6}) {
      const auto directions = std::count(pbc.begin(), pbc.end(), true);
      CAPTURE(directions);
      CAPTURE(width);
      check_differences(random_ions(7, ++seed, pbc, width, directions == 1 ? 0.0 : 0.7), {.accuracy = 1e-12});
      if (width > 0 && directions != 1) check_differences(random_ions(5, ++seed, pbc, width, 0.3), precise(true));
    }
}

TEST_CASE("Coulomb: no result depends on the splitting parameter") {
  unsigned seed = 51;
  for (const auto& pbc : periodicities)
    for (const double width : {0.0, 0.5}) {
      const bool is_wire = std::count(pbc.begin(), pbc.end(), true) == 1;
      const Ions ions = random_ions(9, ++seed, pbc, width, is_wire ? 0.0 : 1.0);
      CoulombOptions options = precise();
      options.alpha = 0.35;
      const CoulombSum first = coulomb_sum(ions.cloud(), options);
      options.alpha = 0.6;
      const CoulombSum second = coulomb_sum(ions.cloud(), options);
      const double scale = 1 + largest_entry(first.potential);
      check_close(first.energy, second.energy, 1e-11 * scale);
      CHECK(largest_difference(first.potential, second.potential) <= 1e-11 * scale);
      CHECK(largest_difference(first.forces, second.forces) <= 1e-11 * scale);
      CHECK(largest_difference(first.virial, second.virial) <= 1e-10 * scale);
    }
}

TEST_CASE("Coulomb: the error of the energy stays below the accuracy, and forces come near it") {
  for (const unsigned seed : {71u, 72u, 73u}) {
    const Ions ions = random_ions(40, seed, {true, true, true}, 0, 0);
    const CoulombSum exact = coulomb_sum(ions.cloud(), precise());
    for (const double accuracy : {1e-4, 1e-6, 1e-8, 1e-10})
      for (const double alpha : {0.0, 0.25, 0.7}) {
        const CoulombSum sum = coulomb_sum(ions.cloud(), {.accuracy = accuracy, .alpha = alpha});
        CHECK(std::abs(sum.energy - exact.energy) <= accuracy * ions.structure.size());
        CHECK(largest_difference(sum.forces, exact.forces) <= 30 * accuracy);
      }
  }
}

TEST_CASE("Coulomb: supercells, rotation and moved images change nothing") {
  const Ions ions = random_ions(6, 81, {true, true, true}, 0.4, 0);
  const double energy = energy_of(ions, precise());
  Ions big = ions;
  big.structure = supercell(ions.structure, 2, 1, 3);
  const int copies = big.structure.size() / ions.structure.size();
  REQUIRE(copies == 6);
  big.charges.clear();
  big.widths.clear();
  for (int i = 0; i < big.structure.size(); ++i) {
    // Atoms of a supercell come copy by copy.
    big.charges.push_back(ions.charges[static_cast<std::size_t>(i % ions.structure.size())]);
    big.widths.push_back(ions.widths[static_cast<std::size_t>(i % ions.structure.size())]);
  }
  check_close(energy_of(big, precise()), copies * energy, 0, 1e-11);
  Ions turned = ions;
  turned.structure = rotated(ions.structure, 5);
  check_close(energy_of(turned, precise()), energy, 0, 1e-12);
  Ions moved = ions;
  moved.structure.positions.row(2) += 3 * moved.structure.cell->row(0) - 2 * moved.structure.cell->row(2);
  check_close(energy_of(moved, precise()), energy, 0, 1e-12);
  Ions slab = random_ions(6, 82, {true, false, true}, 0, 0.5), other = slab;
  other.structure.cell->row(1) = Vector3(0, 0, 0).transpose();  // ignored where pbc is false
  check_close(energy_of(other, precise()), energy_of(slab, precise()), 1e-11);
}

TEST_CASE("Coulomb: the same bits for any number of threads, the same numbers on every instruction set") {
  const Ions ions = random_ions(600, 91, {true, true, true}, 0.3, 1);
  const int threads = thread_count();
  set_thread_count(1);
  const CoulombSum one = coulomb_sum(ions.cloud());
  set_thread_count(3);
  const CoulombSum three = coulomb_sum(ions.cloud());
  set_thread_count(threads);
  check_close(one.energy, three.energy, 0, 1e-14);
  CHECK(largest_difference(one.forces, three.forces) <= 1e-12);
  const InstructionSet used = instruction_set();
  for (const InstructionSet set : instruction_sets) {
    if (!has_instruction_set(set)) continue;
    use_instruction_set(set);
    const CoulombSum sum = coulomb_sum(ions.cloud());
    check_close(sum.energy, one.energy, 0, 1e-13);
    CHECK(largest_difference(sum.forces, one.forces) <= 1e-12);
  }
  use_instruction_set(used);
}

TEST_CASE("Coulomb: the matrix gives the energy and the potentials") {
  for (const auto& pbc : periodicities) {
    if (std::count(pbc.begin(), pbc.end(), true) == 1) continue;
    for (const bool self_energy : {false, true}) {
      const Ions ions = random_ions(8, 95, pbc, 0.5, 0.8);
      const Matrix matrix = coulomb_matrix(ions.cloud(), precise(self_energy));
      const CoulombSum sum = coulomb_sum(ions.cloud(), precise(self_energy));
      const Eigen::Map<const Vector> q(ions.charges.data(), 8);
      CHECK(largest_difference(matrix, Matrix(matrix.transpose())) <= 1e-11);
      CHECK(largest_difference(Vector(matrix * q), sum.potential) <= 1e-10);
    }
  }
}

TEST_CASE("Coulomb: charged wires, flat cells and points on one another are refused or not finite") {
  Ions wire = random_ions(4, 97, {false, false, true}, 0, 0.5);
  wire.structure.source = "w.xyz:1 (frame 1)";
  const std::string message = message_of<InputError>([&] { coulomb_sum(wire.cloud()); });
  CHECK(message.find("w.xyz:1 (frame 1): the charges sum to 0.5 e") == 0);
  CHECK(message.find("wire") != std::string::npos);
  CHECK(message_of<InputError>([&] { coulomb_matrix(wire.cloud()); }).find("wire") != std::string::npos);
  Ions flat = random_ions(4, 98, {true, true, true}, 0, 0);
  flat.structure.cell->row(2) = flat.structure.cell->row(0);
  CHECK(message_of<InputError>([&] { coulomb_sum(flat.cloud()); }).find("no volume") != std::string::npos);
  Ions far = random_ions(4, 98, {true, true, false}, 0, 0);
  far.structure.cell->row(0) *= 1e9;
  CHECK_THROWS_AS(coulomb_sum(far.cloud()), InputError);
  CHECK(message_of<InputError>([&] { coulomb_sum(far.cloud(), {.self_energy = true}); }).find("point charge") != std::string::npos);
  for (const auto& pbc : periodicities) {
    Ions same = random_ions(4, 99, pbc, 0, 0);
    same.structure.positions.row(1) = same.structure.positions.row(0);
    CHECK(!std::isfinite(coulomb_sum(same.cloud()).energy));
  }
  const Ions none;
  CHECK(coulomb_sum(none.cloud()).energy == 0);
}
