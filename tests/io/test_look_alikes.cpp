#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/look_alikes.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Structure silicon_frame(const std::string& fields, const std::string& columns = "", const std::string& values = "") {
  const TemporaryFolder folder;
  Structure s = read_extxyz(folder.write("in.xyz", "1\nLattice=\"4 5 6\" Properties=species:S:1:pos:R:3" + columns + " " + fields +
                                                       "\nSi 0 0 0 " + values + "\n"))
                    .front();
  assign_targets(s, {});
  return s;
}

bool is_lost(const Structure& s, Property target) {
  LookAlikes look_alikes;
  look_alikes.add(s);
  return look_alikes.could_be_named(target);
}

}  // namespace

TEST_CASE("names that sound like a target, in the right form") {
  for (const std::string name : {"Energy", "ENERGY", "TotEnergy", "total_energy", "dft_Energy", "free_energy", "E", "E0", "energie",
                                 "enregy", "ref_energy", "etot", "TOTEN", "e_dft", "energy_pbe", "potential_energy", "MACE_energy"}) {
    CAPTURE(name);
    CHECK(is_lost(silicon_frame(name + "=-3.5"), Property::energy));
    CHECK_FALSE(is_lost(silicon_frame(name + "=\"1 2\""), Property::energy));
    CHECK_FALSE(is_lost(silicon_frame(name + "=text"), Property::energy));
  }
  for (const std::string name : {"f", "F", "Forces", "vasp_force", "dft_Forces", "froces", "gradient", "DFTforces", "Fdft", "dftF"}) {
    CAPTURE(name);
    CHECK(is_lost(silicon_frame("", ":" + name + ":R:3", "1 2 3"), Property::force));
    CHECK_FALSE(is_lost(silicon_frame("", ":" + name + ":R:1", "1"), Property::force));
    CHECK_FALSE(is_lost(silicon_frame("", ":" + name + ":S:3", "a b c"), Property::force));
  }
  for (const std::string name :
       {"Stress", "STRESS", "vasp_stress", "Virial", "virial_eV", "dft_Virials", "stess", "stress_tensor", "pressure_tensor"}) {
    CAPTURE(name);
    CHECK(is_lost(silicon_frame(name + "=\"1 2 3 0 0 0\""), Property::virial));
    CHECK(is_lost(silicon_frame(name + "=\"1 0 0 0 2 0 0 0 3\""), Property::virial));
    CHECK_FALSE(is_lost(silicon_frame(name + "=\"1 2 3\""), Property::virial));
  }
}

TEST_CASE("names of other quantities do not sound like a target") {
  for (const std::string name : {"energy_sigma",
                                 "kinetic_energy",
                                 "fermi_energy",
                                 "E_fermi",
                                 "e_gap",
                                 "energy_cutoff",
                                 "energy_per_atom",
                                 "gap_energy",
                                 "gap_energy_std",
                                 "energy_weight",
                                 "bandgap_energy",
                                 "energy_tol",
                                 "formation_energy",
                                 "energy_cutoff_ev",
                                 "zero_point_energy",
                                 "encut",
                                 "entry",
                                 "e_above_hull",
                                 "time",
                                 "step",
                                 "n_electrons",
                                 "pressure"}) {
    CAPTURE(name);
    CHECK_FALSE(is_lost(silicon_frame(name + "=3.5"), Property::energy));
  }
  for (const std::string name : {"velocities", "magmom", "gap_forces", "momenta", "dipole", "force_std"}) {
    CAPTURE(name);
    CHECK_FALSE(is_lost(silicon_frame("", ":" + name + ":R:3", "1 2 3"), Property::force));
  }
  CHECK_FALSE(is_lost(silicon_frame("strain=\"1 2 3 0 0 0\" gap_stress=\"1 2 3 0 0 0\""), Property::virial));
}

TEST_CASE("sentences name the look-alikes, best first, and keys that work") {
  LookAlikes one;
  one.add(silicon_frame("free_energy=1 Energy=2 Stress=\"1 2 3 0 0 0\"", ":grad:R:3", "1 2 3"));
  CHECK(one.lost_sentence({Property::energy, Property::force, Property::virial}) ==
        "no frame of 1 has an energy, forces or virial or stress under a known name, but the keys 'Energy' and 'free_energy' look like the "
        "energy, the column 'grad' looks like the forces (which have the opposite sign of a gradient) and the key 'Stress' looks like the "
        "stress; if so, name them with [data] energy_key = \"Energy\", forces_key = \"grad\", stress_key = \"Stress\" (or --energy-key "
        "Energy "
        "--forces-key grad --stress-key Stress); if it is not the energy, leave energies out with [data] use = [\"forces\", "
        "\"virial\"]");
  LookAlikes some;
  some.add(silicon_frame("energy=1"));
  some.add(silicon_frame("Energy=1"));
  CHECK_FALSE(some.is_lost(Property::energy));
  REQUIRE(some.is_partly_lost(Property::energy));
  CHECK(some.partly_lost_sentence(Property::energy)
            .starts_with("1 of 2 frames have no energy under a known name, but the key 'Energy' looks"));
}

TEST_CASE("the right name with the wrong form is said") {
  LookAlikes columns;
  columns.add(silicon_frame("", ":forces:R:3:energies:R:1", "1 2 3 4"));
  REQUIRE(columns.is_lost(Property::energy));
  CHECK_FALSE(columns.could_be_named(Property::energy));
  CHECK(contains(columns.lost_sentence({Property::energy}),
                 "the column 'energies' has one value per atom and is not the energy of the frame; give each frame its energy as a key"));
}

TEST_CASE("components in columns and keys of their own are said") {
  LookAlikes forces;
  forces.add(silicon_frame("energy=1", ":fx:R:1:fy:R:1:fz:R:1", "1 2 3"));
  REQUIRE(forces.is_lost(Property::force));
  CHECK(contains(forces.lost_sentence({Property::force}), "the columns 'fx', 'fy' and 'fz' have one component each"));
  LookAlikes two;
  two.add(silicon_frame("energy=1", ":fx:R:1:fy:R:1", "1 2"));
  CHECK_FALSE(two.is_lost(Property::force));
  LookAlikes stress;
  stress.add(silicon_frame("stress_xx=1 stress_yy=2 stress_zz=3"));
  REQUIRE(stress.is_lost(Property::virial));
  CHECK(contains(stress.lost_sentence({Property::virial}), "'stress_xx', 'stress_yy', 'stress_zz'"));
}

TEST_CASE("a pressure has the opposite sign of the stress that it is taken for") {
  LookAlikes one;
  one.add(silicon_frame("pressure_tensor=\"1 2 3 0 0 0\""));
  CHECK(contains(one.lost_sentence({Property::virial}), "looks like the stress (which has the opposite sign of a pressure)"));
}

TEST_CASE("without energies, keys of one number in every frame are listed under any name") {
  LookAlikes none;
  none.add(silicon_frame("", ":forces:R:3", "1 2 3"));
  REQUIRE(none.lacks_energy());
  CHECK_FALSE(none.has_unknown_scalar());
  CHECK(contains(none.no_energy_sentence(),
                 "give each frame its energy as a key (energy=...), or leave energies out with [data] use = [\"forces\"]"));
  LookAlikes one;
  one.add(silicon_frame("U0=-3.5 step=1 time=0.5 n=7"));
  one.add(silicon_frame("U0=-4.5 step=2 time=1.5 n=7 extra=0.5"));
  REQUIRE(one.lacks_energy());
  REQUIRE(one.has_unknown_scalar());
  CHECK(contains(one.no_energy_sentence(), "no frame of 2 has an energy under a known name"));
  CHECK(contains(one.no_energy_sentence(),
                 "the key 'U0' holds a number in every frame: if it is the energy (eV), name it with [data] energy_key = \"U0\" (or "
                 "--energy-key U0)"));
  LookAlikes many;
  many.add(silicon_frame("q=1.5 r=2.5 s=3.5 t=4.5 u=5.5 v=6.5"));
  CHECK(contains(many.no_energy_sentence(), "the keys 'v', 'u', 't', 's', 'r', ... hold a number"));
  for (const std::string fields : {"energy=1 U0=-3.5", "Energy=1 U0=-3.5"}) {
    LookAlikes there;
    there.add(silicon_frame(fields));
    CHECK_FALSE(there.lacks_energy());
  }
  TargetKeys keys;
  keys.use[Property::energy] = false;
  LookAlikes unused(keys);
  unused.add(silicon_frame("U0=-3.5"));
  CHECK_FALSE(unused.lacks_energy());
}

TEST_CASE("forces of single atoms do not hide lost forces of other frames") {
  const auto dimer = [](const std::string& column) {
    const TemporaryFolder folder;
    Structure s = read_extxyz(folder.write("in.xyz", "2\nProperties=species:S:1:pos:R:3:" + column +
                                                         ":R:3 energy=1\nSi 0 0 0 1 2 3\nSi 2 0 0 1 2 3\n"))
                      .front();
    assign_targets(s, {});
    return s;
  };
  LookAlikes lost;
  lost.add(silicon_frame("energy=1", ":forces:R:3", "0 0 0"));
  lost.add(dimer("Forces"));
  REQUIRE(lost.has_atoms_only(Property::force));
  CHECK(lost.lost_sentence({Property::force})
            .starts_with("no frame of several atoms has forces under a known name, but the column 'Forces'"));
  lost.add(dimer("forces"));
  CHECK_FALSE(lost.is_lost(Property::force));
  CHECK(lost.is_partly_lost(Property::force));
}

TEST_CASE("nothing is lost where targets are found, absent or named") {
  CHECK_FALSE(is_lost(silicon_frame("energy=1 Energy=2"), Property::energy));
  CHECK_FALSE(is_lost(silicon_frame("config_type=a"), Property::energy));
  LookAlikes named({.names = {{"energy", "other"}}});
  named.add(silicon_frame("Energy=1"));
  CHECK_FALSE(named.is_lost(Property::energy));
  Structure molecule = silicon_frame("Stress=\"0 0 0 0 0 0\"");
  molecule.cell.reset();
  CHECK_FALSE(is_lost(molecule, Property::virial));
}
