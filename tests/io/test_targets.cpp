#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/targets.hpp>
#include <limits>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// One atom in a 4 × 5 × 6 Å cell (120 Å³) with `extra` fields and further columns.
Structure frame(const std::string& extra, const std::string& columns = "", const std::string& values = "") {
  const TemporaryFolder folder;
  return read_extxyz(folder.write("in.xyz", "1\nLattice=\"4 5 6\" Properties=species:S:1:pos:R:3" + columns + " " + extra + "\nSi 0 0 0 " +
                                                values + "\n"))
      .front();
}

Structure assigned(Structure s, const TargetKeys& keys = {}, TargetReport* report = nullptr) {
  assign_targets(s, keys, report);
  return s;
}

std::string error_of(const Structure& s, const TargetKeys& keys = {}) {
  return message_of<InputError>([&] { assigned(s, keys); });
}

/// Voigt order, negated and times a volume of 120 Å³.
const char* const stress6 = "stress=\"0.1 0.2 0.3 0.04 0.05 0.06\"";
Matrix3 virial_of_stress6() {
  Matrix3 m;
  m << 0.1, 0.06, 0.05, 0.06, 0.2, 0.04, 0.05, 0.04, 0.3;
  return -120 * m;
}

}  // namespace

TEST_CASE("every default name gives its property") {
  for (const std::string prefix : {"", "REF_", "dft_", "DFT_"}) {
    CAPTURE(prefix);
    CHECK(assigned(frame(prefix + "energy=-3.5")).energy == -3.5);
    CHECK(assigned(frame(prefix + "energy=-3")).energy == -3.0);
    for (const std::string name : {"forces", "force"}) {
      const Structure s = assigned(frame("", ":" + prefix + name + ":R:3", "1 -2 0.5"));
      REQUIRE(s.forces.has_value());
      CHECK(*s.forces == Positions(Vector3(1, -2, 0.5).transpose()));
    }
    for (const std::string name : {"virial", "virials"})
      CHECK(assigned(frame(prefix + name + "=\"1 0 0 0 2 0 0 0 3\"")).virial->trace() == 6.0);
    CHECK(largest_difference(*assigned(frame(prefix + stress6)).virial, virial_of_stress6()) <= 1e-13);
  }
  const Structure bare = assigned(frame("Energy=3 gap_energy=4"));
  CHECK_FALSE(bare.energy.has_value());
  CHECK_FALSE(bare.forces.has_value());
  CHECK_FALSE(bare.virial.has_value());
  CHECK(assigned(frame("", ":forces:I:3", "1 2 3")).forces->sum() == 6);
}

TEST_CASE("tensors: 6 numbers, 9 old style, 9 and 3 x 3 new style") {
  Matrix3 expected;
  expected << 1, 6, 5, 6, 2, 4, 5, 4, 3;
  for (const char* text : {"\"1 2 3 4 5 6\"", "\"1 6 5 6 2 4 5 4 3\"", "\"1.0 6.0 5.0 6.0 2.0 4.0 5.0 4.0 3.0\"",
                           "[1, 6, 5, 6, 2, 4, 5, 4, 3]", "[[1, 6, 5], [6, 2, 4], [5, 4, 3]]", "{1 2 3 4 5 6}"}) {
    CAPTURE(text);
    CHECK(*assigned(frame(std::string("virial=") + text)).virial == expected);
    CHECK(largest_difference(*assigned(frame(std::string("stress=") + text)).virial, Matrix3(-120 * expected)) <= 1e-11);
  }
  Structure s = frame("");
  s.set_field("virial", Matrix(expected));
  CHECK(*assigned(s).virial == expected);
  CHECK(contains(error_of(frame("virial=\"1 2 3\"")), "key 'virial' has 3 numbers, expected 6 (xx yy zz yz xz xy) or 9 (row by row)"));
  CHECK(contains(error_of(frame("virial=none")), "key 'virial' has the value 'none', expected 6"));
  CHECK(contains(error_of(frame("virial=[[1,2,3,4,5,6,7,8,9]]")), "expected 6"));
  CHECK(contains(error_of(frame("stress=\"1 2 3 nan 5 6\"")), "expected finite numbers"));
}

TEST_CASE("an asymmetric tensor is an error, noise is symmetrised") {
  CHECK(contains(error_of(frame("virial=\"1 0.1 0 0 1 0 0 0 1\"")), "key 'virial' is not symmetric"));
  CHECK(contains(error_of(frame("stress=\"1 0.1 0 0 1 0 0 0 1\"")), "key 'stress' is not symmetric"));
  const Structure s = assigned(frame("virial=\"1 0.0002 0 0 1 0 0 0 1\""));
  CHECK((*s.virial)(0, 1) == 0.0001);
  CHECK((*s.virial)(1, 0) == 0.0001);
  CHECK(assigned(frame("virial=\"1e-15 2e-15 0 -2e-15 0 0 0 0 0\"")).virial.has_value());
}

TEST_CASE("virial and stress together have to agree") {
  const std::string agreeing = " virial=\"-12 -24 -36 -4.8 -6 -7.2\"";
  TargetReport report;
  CHECK(assigned(frame(stress6 + agreeing), {}, &report).virial->trace() == -72.0);
  CHECK(report.keys["virial"]["virial"] == 1);
  CHECK(report.keys["stress"]["stress"] == 1);
  CHECK(contains(error_of(frame(std::string(stress6) + " virial=\"-12 -24 -36 -4.8 -6 -7.5\"")), "disagree; correct one"));
  CHECK(contains(error_of(frame(std::string(stress6) + " virial=\"12 24 36 4.8 6 7.2\"")), "the sign of the stress is reversed"));
  CHECK(contains(error_of(frame("stress=\"16.021766208 0 0 0 0 0\" virial=\"-12 0 0 0 0 0\"")), "seems to be in GPa"));
  // Whoever names one wants that one.
  CHECK(assigned(frame(std::string(stress6) + " virial=\"1 1 1 0 0 0\""), {.names = {{"virial", "virial"}}}).virial->trace() == 3.0);
  CHECK(largest_difference(*assigned(frame(std::string(stress6) + " virial=\"1 1 1 0 0 0\""), {.names = {{"stress", "stress"}}}).virial,
                           virial_of_stress6()) <= 1e-13);
  CHECK(contains(error_of(frame(std::string(stress6) + " virial=\"1 1 1 0 0 0\""), {.names = {{"virial", "virial"}, {"stress", "stress"}}}),
                 "disagree"));
}

TEST_CASE("stress needs a volume") {
  Structure molecule = frame("stress=\"1 1 1 0 0 0\"");
  molecule.cell.reset();
  CHECK(contains(error_of(molecule), "the frame has no cell with a volume"));
  molecule.set_field("stress", std::vector<double>(6, 0.0));
  CHECK_FALSE(assigned(molecule).virial.has_value());
}

TEST_CASE("several candidates are an error unless one is named") {
  const Structure energies = frame("energy=1 DFT_energy=2 free_energy=3");
  CHECK(error_of(energies).ends_with(
      "in.xyz:1 (frame 1): 'energy' and 'DFT_energy' could hold the energy, expected one of them; name it with "
      "[data] energy_key or --energy-key; they differ: '1' and '2'"));
  CHECK(assigned(energies, {.names = {{"energy", "DFT_energy"}}}).energy == 2.0);
  CHECK(assigned(energies, {.names = {{"energy", "free_energy"}}}).energy == 3.0);
  CHECK_FALSE(assigned(energies, {.names = {{"energy", "missing"}}}).energy.has_value());

  const Structure forces = frame("", ":force:R:3:dft_forces:R:3", "1 2 3 4 5 6");
  CHECK(contains(error_of(forces), "'force' and 'dft_forces' could hold the forces, expected one of them; name it with [data] forces_key"));
  CHECK(assigned(forces, {.names = {{"forces", "dft_forces"}}}).forces->sum() == 15);
  CHECK(contains(error_of(frame("virial=\"1 1 1 0 0 0\" virials=\"1 1 1 0 0 0.1\"")), "[data] virial_key"));
}

TEST_CASE("several keys with the same values count as one, and the report lists them") {
  TargetReport report;
  CHECK(assigned(frame("energy=-12345.678901 REF_energy=-12345.6789014"), {}, &report).energy == -12345.678901);
  CHECK(report.keys["energy"]["energy"] == 1);
  CHECK(report.same_value_lines() == std::vector<std::string>{"'REF_energy' has the same values as 'energy' in 1 frame; 'energy' is used"});
  CHECK(contains(error_of(frame("energy=-12345.6789 REF_energy=-12345.678")), "they differ"));
  CHECK(contains(error_of(frame("energy=1 REF_energy=nan")), "they differ"));
  CHECK(contains(error_of(frame("energy=1 REF_energy=one")), "they differ"));
  CHECK(assigned(frame("", ":forces:R:3:REF_forces:R:3", "1 2 3 1 2 3.000001")).forces->sum() == 6);
  CHECK(contains(error_of(frame("", ":forces:R:3:REF_forces:R:3", "1 2 3 1 2 3.1")), "could hold the forces"));
  // The same tensor in six and in nine numbers.
  CHECK(assigned(frame(std::string(stress6) + " REF_stress=\"0.1 0.06 0.05 0.06 0.2 0.04 0.05 0.04 0.3\"")).virial.has_value());
  CHECK(contains(error_of(frame(std::string(stress6) + " REF_stress=\"0.1 0.06 0.05 0.06 0.2 0.05 0.05 0.05 0.3\"")),
                 "could hold the stress"));
}

TEST_CASE("a mistake in an unused target leaves the target out") {
  TargetKeys keys;
  keys.use = {true, false, false};
  TargetReport report;
  const Structure s =
      assigned(frame("energy=2 stress=\"nan 0 0 0 0 0\" virial_sigma=-1", ":forces:R:3:force_atom_sigma:R:1", "1 nan 3 0"), keys, &report);
  CHECK(s.energy == 2.0);
  CHECK_FALSE(s.forces.has_value());
  CHECK_FALSE(s.virial.has_value());
  CHECK(s.sigma[Property::force].atom.empty());
  CHECK(report.targets_left_out == 2);
  CHECK(contains(report.first_left_out, "column 'forces' has nan"));
  CHECK(report.keys["forces"].empty());
  CHECK(assigned(frame("energy=2", ":forces:R:3", "1 2 3"), keys).forces.has_value());  // nothing wrong: it is there
  keys.use = {true, true, false};
  CHECK(contains(error_of(frame("energy=2", ":forces:R:3", "1 nan 3"), keys), "column 'forces' has nan"));
  keys.use = {false, true, true};
  CHECK_FALSE(assigned(frame("energy=1 REF_energy=2"), keys).energy.has_value());
}

TEST_CASE("targets that are no finite numbers, or have the wrong shape") {
  for (const char* bad : {"nan", "inf", "-inf", "abc", "T", "\"1 2\"", "1e999", "\"\""}) {
    CAPTURE(bad);
    CHECK(contains(error_of(frame(std::string("energy=") + bad)), "key 'energy' is '"));
  }
  Structure s = frame("");
  s.set_field("energy", std::numeric_limits<double>::quiet_NaN());
  CHECK(contains(error_of(s), "expected a finite number"));
  CHECK(contains(error_of(frame("", ":forces:R:3", "0 nan 0")), "column 'forces' has nan as force component 2 of atom 1"));
  CHECK(contains(error_of(frame("", ":force:R:1", "0")), "column 'force' has 1 value per atom, expected 3 real numbers"));
  CHECK(contains(error_of(frame("", ":forces:S:3", "a b c")), "column 'forces' has no numbers"));
}

TEST_CASE("sigmas, mask and config type") {
  const Structure s = assigned(frame("energy_sigma=0.1 force_sigma=2 virial_sigma=3d-1 config_type=\"liquid 300\"",
                                     ":force_mask:L:1:force_atom_sigma:R:1", "T 0.25"));
  CHECK(s.sigma[Property::energy].frame == 0.1);
  CHECK(s.sigma[Property::force].frame == 2.0);
  CHECK(s.sigma[Property::virial].frame == 0.3);
  CHECK(s.force_mask == std::vector<bool>{true});
  CHECK(s.sigma[Property::force].atom == std::vector<double>{0.25});
  CHECK(s.config_type == "liquid 300");
  CHECK(assigned(frame("")).config_type == "default");
  CHECK(assigned(frame("config_type=300")).config_type == "300");
  CHECK(assigned(frame("config_type=T")).config_type == "T");
  CHECK(assigned(frame("config_type=\"1 2\"")).config_type == "1 2");
  CHECK(assigned(frame("phase=solid"), {.config_type = "phase"}).config_type == "solid");
  CHECK(assigned(frame("", ":frozen:I:1", "1"), {.force_mask = "frozen"}).force_mask == std::vector<bool>{true});
  for (const char* bad : {"0", "-1", "nan", "x"})
    CHECK(contains(error_of(frame(std::string("energy_sigma=") + bad)), "key 'energy_sigma' is "));
  CHECK(contains(error_of(frame("", ":force_mask:R:1", "0.5")), "column 'force_mask' is the mask of the forces"));
  CHECK(contains(error_of(frame("", ":force_atom_sigma:R:1", "0")), "column 'force_atom_sigma' is 0 for atom 1"));
}

TEST_CASE("sigmas of components") {
  const Structure s = assigned(frame("virial_component_sigma=\"1 4 5 4 2 6 5 6 3\"", ":force_component_sigma:R:3", "0.1 0.2 0.3"));
  CHECK(s.sigma[Property::force].component == std::vector<double>{0.1, 0.2, 0.3});
  const std::vector<double> six = {1, 2, 3, 6, 5, 4};  // xx yy zz yz xz xy
  CHECK(s.sigma[Property::virial].component == six);
  CHECK(assigned(frame("virial_component_sigma=\"1 2 3 6 5 4\"")).sigma[Property::virial].component == six);
  CHECK(contains(error_of(frame("", ":force_component_sigma:R:3", "0.1 0 0.3")), "column 'force_component_sigma' is 0 for atom 1"));
  CHECK(contains(error_of(frame("", ":force_component_sigma:R:1", "0.1")), "expected 3 real numbers for each of 1 atoms"));
  CHECK(contains(error_of(frame("virial_component_sigma=\"1 4 5 4 2 6 5 6 -3\"")), "expected numbers above 0"));
  CHECK(contains(error_of(frame("virial_component_sigma=\"1 1 1 0.9 1 1 1 1 1\"")), "not symmetric"));
  CHECK(contains(error_of(frame("virial_component_sigma=\"1 nan 1 1 1 1 1 1 1\"")), "virial_component_sigma"));
}

TEST_CASE("assigning again replaces earlier targets") {
  Structure s = frame("energy=1 virial=\"1 1 1 0 0 0\" config_type=a", ":forces:R:3", "1 2 3");
  assign_targets(s, {});
  s.fields.clear();
  s.columns.clear();
  assign_targets(s, {});
  CHECK_FALSE(s.energy.has_value());
  CHECK_FALSE(s.forces.has_value());
  CHECK_FALSE(s.virial.has_value());
  CHECK(s.config_type == "default");
}

TEST_CASE("the report names the key of each target, and an unused free_energy") {
  TargetReport report;
  assigned(frame("energy=1 free_energy=2", ":forces:R:3", "1 2 3"), {}, &report);
  assigned(frame("REF_energy=1 " + std::string(stress6)), {}, &report);
  assigned(frame("free_energy=1"), {}, &report);
  CHECK(report.frames == 3);
  CHECK(report.frames_without[Property::energy] == 1);
  CHECK(report.frames_without[Property::force] == 2);
  CHECK(report.frames_without[Property::virial] == 2);
  CHECK(report.frames_with_unused_free_energy == 2);
  const auto lines = report.lines();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == "energy: key 'REF_energy' in 1, key 'energy' in 1 of 3 frames");
  CHECK(lines[1] == "forces: column 'forces' in 1 of 3 frames");
  CHECK(lines[2] == "stress: key 'stress' in 1 of 3 frames (virial = −stress·volume)");
  CHECK(lines[3] ==
        "free_energy is present in 2 frames and not used: forces of many codes belong to it; name it with [data] energy_key or "
        "--energy-key to use it");

  TargetReport named;
  assigned(frame("energy=1 free_energy=2"), {.names = {{"energy", "free_energy"}}}, &named);
  CHECK(named.frames_with_unused_free_energy == 0);
  CHECK(named.lines() == std::vector<std::string>{"energy: key 'free_energy' in 1 of 1 frames", "forces: in none of 1 frames",
                                                  "virial: in none of 1 frames"});
}

TEST_CASE("NaN in the force of a masked atom is no error, in the force of another atom it is") {
  const auto forces = [](const std::string& mask) { return frame("", ":forces:R:3:force_mask:L:1", "1 nan 3 " + mask); };
  const Structure s = assigned(forces("T"));
  REQUIRE(s.forces.has_value());
  CHECK(*s.forces == Positions(Vector3(1, 0, 3).transpose()));
  CHECK(contains(error_of(forces("F")), "column 'forces' has nan as force component 2 of atom 1"));
}
