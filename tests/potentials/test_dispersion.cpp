// Pairwise dispersion: reference numbers, derivatives, the tail, free atoms.

#include <gapkit/core/elements.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/potentials/dispersion.hpp>

#include "potentials/long_range_reference.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::vector<FreeAtom> free_atoms_of(const Structure& structure) {
  std::vector<FreeAtom> atoms;
  for (const int z : structure.atomic_numbers) atoms.push_back(*free_atom(z));
  return atoms;
}

DispersionOptions options_of(const nlohmann::json& entry) {
  DispersionOptions options;
  options.damping = entry.at("damping") == "bj" ? DispersionOptions::Damping::becke_johnson : DispersionOptions::Damping::fermi;
  options.radius_scale = entry.at("radius_scale");
  if (entry.contains("d")) options.steepness = entry.at("d");
  if (entry.contains("width")) options.width = entry.at("width");
  if (entry.at("cutoff").is_number()) options.cutoff = entry.at("cutoff");
  if (entry.contains("tail")) options.tail = entry.at("tail");
  return options;
}

std::vector<double> volumes_of(const nlohmann::json& entry, const Structure& structure) {
  return entry.at("volumes") == "volumes" ? column_of(structure, "hirshfeld_rel_volume") : std::vector<double>();
}

}  // namespace

TEST_CASE("dispersion: energies, tails, forces, virials and derivatives by volumes of the reference") {
  int checked = 0;
  for (const auto& [name, entry] : long_range_reference().at("dispersion").items()) {
    if (!entry.contains("tail_energy")) continue;
    const std::string label = name;
    CAPTURE(label);
    ++checked;
    const Structure structure = structure_of(entry);
    const DispersionSum sum = dispersion_sum(structure, free_atoms_of(structure), volumes_of(entry, structure), options_of(entry));
    check_close(sum.energy, entry.at("energy"), 0, 1e-9);
    check_close(sum.tail, entry.at("tail_energy"), 1e-12, 1e-9);
    const Matrix forces = matrix_of(entry.at("forces")), virial = matrix_of(entry.at("virial"));
    CHECK(largest_difference(sum.forces, forces) <= 1e-9);
    CHECK(largest_difference(sum.virial, virial) <= 1e-9);
    const Vector slope = vector_of(entry.at("dE_dvolume"));
    CHECK(largest_difference(sum.volume_slope, slope) <= 1e-9);
  }
  CHECK(checked == 12);
}

TEST_CASE("dispersion: with the tail, a cutoff of 20 Å is within 3e-6 eV of the infinite sum of six atoms, and without it is not") {
  int checked = 0;
  for (const auto& [name, entry] : long_range_reference().at("dispersion").items()) {
    if (name != "triclinic_fermi_infinite" && name != "triclinic_bj_infinite") continue;
    ++checked;
    nlohmann::json with_xyz = entry;
    with_xyz["xyz"] = "xyz/dispersion_triclinic.xyz";
    const Structure structure = structure_of(with_xyz);
    DispersionOptions options = options_of(with_xyz);
    options.cutoff = 20;
    const auto energy = [&] { return dispersion_sum(structure, free_atoms_of(structure), volumes_of(entry, structure), options).energy; };
    check_close(energy(), entry.at("energy"), 3e-6);
    options.tail = false;
    CHECK(std::abs(energy() - entry.at("energy").get<double>()) > 1e-4);
    options.cutoff = 40;
    options.tail = true;
    check_close(energy(), entry.at("energy"), 3e-7);
  }
  CHECK(checked == 2);
}

TEST_CASE("dispersion: lattice sums of r⁻⁶ of the three cubic lattices") {
  const nlohmann::json& all = long_range_reference().at("dispersion");
  Matrix3 fcc, bcc;
  fcc << 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0;
  bcc << -0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, -0.5;
  const std::vector<std::tuple<std::string, Matrix3, double>> lattices = {
      {"lattice_SC", Matrix3::Identity(), 1.0}, {"lattice_FCC", fcc, std::sqrt(0.5)}, {"lattice_BCC", bcc, std::sqrt(0.75)}};
  for (const auto& [name, cell, nearest] : lattices) {
    Structure structure;
    structure.cell = 4 * cell;
    structure.pbc = {true, true, true};
    structure.positions = Positions::Zero(1, 3);
    structure.atomic_numbers = {18};
    DispersionOptions options;
    options.damping = DispersionOptions::Damping::becke_johnson;
    options.radius_scale = 1e-3;  // no damping
    options.cutoff = 100;
    const FreeAtom atom{.c6 = 2, .polarizability = 1, .radius = 1};
    const double energy = dispersion_sum(structure, {&atom, 1}, {}, options).energy;
    check_close(-energy * std::pow(4 * nearest, 6), all.at(name).at("value"), 0, 1e-7);
  }
}

TEST_CASE("dispersion: derivatives by the volumes and shares") {
  const Structure structure = random_triclinic(6, 3, {1, 6, 8});
  std::vector<double> volumes = {0.9, 0.8, 1.1, 0.7, 1.0, 0.95};
  DispersionOptions options;
  options.cutoff = 9;
  const std::vector<FreeAtom> atoms = free_atoms_of(structure);
  for (const auto damping : {DispersionOptions::Damping::fermi, DispersionOptions::Damping::becke_johnson}) {
    options.damping = damping;
    options.radius_scale = damping == DispersionOptions::Damping::fermi ? 0.94 : 0.55;
    const DispersionSum sum = dispersion_sum(structure, atoms, volumes, options);
    double shares = 0;
    for (const double share : sum.share) shares += share;
    check_close(shares, sum.energy, 1e-13);
    for (std::size_t i = 0; i < volumes.size(); ++i) {
      const double before = volumes[i], step = 1e-5;
      volumes[i] = before + step;
      const double up = dispersion_sum(structure, atoms, volumes, options).energy;
      volumes[i] = before - step;
      const double down = dispersion_sum(structure, atoms, volumes, options).energy;
      volumes[i] = before;
      check_close(sum.volume_slope[static_cast<Eigen::Index>(i)], (up - down) / (2 * step), 1e-9);
    }
  }
}

TEST_CASE("free atoms: the values of Tkatchenko and Scheffler; elements without values have none") {
  const nlohmann::json& given = long_range_reference().at("dispersion").at("parameters").at("free_atoms");
  for (const auto& [symbol, values] : given.items()) {
    const FreeAtom* atom = free_atom(find_atomic_number(symbol));
    REQUIRE(atom != nullptr);
    check_close(atom->c6, values.at("C6_hartree_bohr6").get<double>() * ev_per_hartree * std::pow(angstrom_per_bohr, 6), 0, 1e-12);
    check_close(atom->polarizability, values.at("alpha_bohr3").get<double>() * std::pow(angstrom_per_bohr, 3), 0, 1e-12);
    check_close(atom->radius, values.at("radius_A"), 0, 1e-12);
  }
  // The last element before and the first one after the lanthanides, and the last one of the table
  check_close(free_atom(56)->radius, 4.77 * angstrom_per_bohr, 0, 1e-12);
  check_close(free_atom(72)->radius, 4.21 * angstrom_per_bohr, 0, 1e-12);
  check_close(free_atom(79)->radius, 3.86 * angstrom_per_bohr, 0, 1e-12);
  check_close(free_atom(86)->radius, 4.23 * angstrom_per_bohr, 0, 1e-12);
  for (const int z : {0, 57, 71, 87, 118}) CHECK(free_atom(z) == nullptr);
}
