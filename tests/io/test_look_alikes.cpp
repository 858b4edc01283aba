#include <gapkit/io/extxyz.hpp>

#include "io/look_alikes.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Structure frame(const std::string& fields, const std::string& columns = "", const std::string& values = "") {
  const TemporaryFolder folder;
  Structure s = read_extxyz(folder.write("in.xyz", "1\nLattice=\"4 5 6\" Properties=species:S:1:pos:R:3" + columns + " " + fields +
                                                       "\nSi 0 0 0 " + values + "\n"))
                    .front();
  assign_targets(s, {});
  return s;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool is_lost(const Structure& s, Target target) {
  LookAlikes look_alikes;
  look_alikes.add(s);
  return look_alikes.could_be_named(target);
}

}  // namespace

TEST_CASE("names that sound like a target, in the right form") {
  for (const std::string name : {"Energy", "ENERGY", "TotEnergy", "total_energy", "dft_Energy", "free_energy", "E", "E0", "energie",
                                 "enregy", "ref_energy", "etot", "TOTEN", "e_dft", "energy_pbe", "potential_energy", "MACE_energy"}) {
    CAPTURE(name);
    CHECK(is_lost(frame(name + "=-3.5"), Target::energy));
    CHECK_FALSE(is_lost(frame(name + "=\"1 2\""), Target::energy));
    CHECK_FALSE(is_lost(frame(name + "=text"), Target::energy));
  }
  for (const std::string name : {"f", "F", "Forces", "vasp_force", "dft_Forces", "froces", "gradient", "DFTforces"}) {
    CAPTURE(name);
    CHECK(is_lost(frame("", ":" + name + ":R:3", "1 2 3"), Target::forces));
    CHECK_FALSE(is_lost(frame("", ":" + name + ":R:1", "1"), Target::forces));
    CHECK_FALSE(is_lost(frame("", ":" + name + ":S:3", "a b c"), Target::forces));
  }
  for (const std::string name : {"Stress", "STRESS", "vasp_stress", "Virial", "virial_eV", "dft_Virials", "stess", "stress_tensor"}) {
    CAPTURE(name);
    CHECK(is_lost(frame(name + "=\"1 2 3 0 0 0\""), Target::virial));
    CHECK(is_lost(frame(name + "=\"1 0 0 0 2 0 0 0 3\""), Target::virial));
    CHECK_FALSE(is_lost(frame(name + "=\"1 2 3\""), Target::virial));
  }
}

TEST_CASE("names of other quantities do not sound like a target") {
  for (const std::string name :
       {"energy_sigma", "kinetic_energy", "fermi_energy", "E_fermi", "e_gap", "energy_cutoff", "energy_per_atom", "gap_energy",
        "gap_energy_std", "energy_weight", "entry", "e_above_hull", "time", "step", "n_electrons", "pressure"}) {
    CAPTURE(name);
    CHECK_FALSE(is_lost(frame(name + "=3.5"), Target::energy));
  }
  for (const std::string name : {"velocities", "magmom", "gap_forces", "momenta", "dipole", "force_std"}) {
    CAPTURE(name);
    CHECK_FALSE(is_lost(frame("", ":" + name + ":R:3", "1 2 3"), Target::forces));
  }
  CHECK_FALSE(is_lost(frame("strain=\"1 2 3 0 0 0\" gap_stress=\"1 2 3 0 0 0\""), Target::virial));
}

TEST_CASE("sentences name what was found, best first, and keys that work") {
  LookAlikes one;
  one.add(frame("free_energy=1 Energy=2 Stress=\"1 2 3 0 0 0\"", ":grad:R:3", "1 2 3"));
  CHECK(one.lost_sentence({Target::energy, Target::forces, Target::virial}) ==
        "no frame of 1 has an energy, forces or virial or stress under a known name, but the keys 'Energy' and 'free_energy' look like the "
        "energy, the column 'grad' looks like the forces (which have the opposite sign of a gradient) and the key 'Stress' looks like the "
        "stress; if so, name them with [data] energy_key = \"Energy\", forces_key = \"grad\", stress_key = \"Stress\" (or --energy-key "
        "Energy "
        "--forces-key grad --stress-key Stress)");
  LookAlikes some;
  some.add(frame("energy=1"));
  some.add(frame("Energy=1"));
  CHECK_FALSE(some.is_lost(Target::energy));
  REQUIRE(some.is_partly_lost(Target::energy));
  CHECK(
      some.partly_lost_sentence(Target::energy).starts_with("1 of 2 frames have no energy under a known name, but the key 'Energy' looks"));
}

TEST_CASE("the right name with the wrong form is said") {
  LookAlikes columns;
  columns.add(frame("", ":forces:R:3:energies:R:1", "1 2 3 4"));
  REQUIRE(columns.is_lost(Target::energy));
  CHECK_FALSE(columns.could_be_named(Target::energy));
  CHECK(contains(columns.lost_sentence({Target::energy}),
                 "the column 'energies' has one value per atom and is not the energy of the frame; give each frame its energy as a key"));
}

TEST_CASE("nothing is lost where targets are found, absent or named") {
  CHECK_FALSE(is_lost(frame("energy=1 Energy=2"), Target::energy));
  CHECK_FALSE(is_lost(frame("config_type=a"), Target::energy));
  LookAlikes named({.energy = "other"});
  named.add(frame("Energy=1"));
  CHECK_FALSE(named.is_lost(Target::energy));
  Structure molecule = frame("Stress=\"0 0 0 0 0 0\"");
  molecule.cell.reset();
  CHECK_FALSE(is_lost(molecule, Target::virial));
}
