// Values of another model that frames bring: read by the rules of targets, under names of their own.

#include <gapkit/core/errors.hpp>
#include <gapkit/io/extxyz.hpp>
#include <gapkit/io/look_alikes.hpp>
#include <gapkit/io/targets.hpp>

#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Two atoms in a cell of 120 Å³ with energy and forces; `extra` in the comment line, one more column.
Structure two_atoms(const std::string& extra, const std::string& column = "", const std::string& first = "", const std::string& second = "",
                    const std::string& cell = "Lattice=\"4 5 6\"") {
  const TemporaryFolder folder;
  return read_extxyz(folder.write("in.xyz", "2\n" + cell + " Properties=species:S:1:pos:R:3:forces:R:3" + column + " energy=-7 " + extra +
                                                "\nSi 0 0 0 1 2 3 " + first + "\nSi 1 2 3 4 5 6 " + second + "\n"))
      .front();
}

TargetKeys on(std::map<std::string, std::string, std::less<>> columns, const std::string& name = "") {
  return {.base = {.columns = std::move(columns), .name = name}};
}

Structure with_targets(Structure s, const TargetKeys& keys) {
  assign_targets(s, keys);
  return s;
}

std::string error_of(const std::function<void()>& action) {
  return message_of<InputError>(action);
}

}  // namespace

TEST_CASE("values of the base stand beside the targets, in their order and unit") {
  const Structure given = two_atoms("xtb_energy=-3.5 xtb_stress=\"0.1 0.2 0.3 0.04 0.05 0.06\"", ":xtb_forces:R:3", "7 8 9", "10 11 12");
  const Structure s = with_targets(given, on({{"energy", "xtb_energy"}, {"forces", "xtb_forces"}, {"stress", "xtb_stress"}}));
  CHECK(s.energy == -7.0);
  CHECK((*s.forces)(1, 2) == 6);
  CHECK(!s.virial);
  CHECK(s.base[Property::energy] == std::vector<double>{-3.5});
  CHECK(s.base[Property::force] == std::vector<double>{7, 8, 9, 10, 11, 12});
  const std::vector<double> expected = {-12, -24, -36, -4.8, -6, -7.2};
  REQUIRE(s.base[Property::virial].size() == 6);
  for (std::size_t k = 0; k < 6; ++k) check_close(s.base[Property::virial][k], expected[k], 1e-12);
  // Nothing is left of it with other keys.
  CHECK(with_targets(s, {}).base[Property::energy].empty());
}

TEST_CASE("subtract_base takes the base off targets that are used, and says what is missing where") {
  const TargetKeys keys = on({{"energy", "xtb_energy"}, {"forces", "xtb_forces"}}, "GFN2-xTB");
  Structure s = with_targets(two_atoms("xtb_energy=-3.5", ":xtb_forces:R:3", "7 8 9", "10 11 12"), keys);
  subtract_base(s, keys.base, PerTarget<bool>(true));
  CHECK(s.energy == -3.5);
  CHECK((*s.forces)(1, 2) == -6);

  const Structure lacks = with_targets(two_atoms("xtb_enrgy=-3.5", ":xtb_forces:R:3", "7 8 9", "10 11 12"), keys);
  const auto subtracted = [&](Structure from, PerTarget<bool> use) {
    subtract_base(from, keys.base, use);
    return from;
  };
  const std::string message = error_of([&] { subtracted(lacks, PerTarget<bool>(true)); });
  for (const char* part :
       {"in.xyz:1 (frame 1)", "no key 'xtb_energy' with the energies of the base GFN2-xTB", "did you mean 'xtb_enrgy'?"}) {
    CAPTURE(message);
    CHECK(contains(message, part));
  }
  CHECK(error_of([&] { subtracted(lacks, {false, true, true}); }) == message);
  // A virial that the base does not give.
  const Structure strained =
      with_targets(two_atoms("xtb_energy=1 virial=\"1 0 0 0 1 0 0 0 1\"", ":xtb_forces:R:3", "7 8 9", "10 11 12"), keys);
  const std::string not_given = error_of([&] { subtracted(strained, PerTarget<bool>(true)); });
  CAPTURE(not_given);
  CHECK(contains(not_given, "the base GFN2-xTB (energy 'xtb_energy', forces 'xtb_forces') has none"));
  CHECK(!subtracted(strained, {true, true, false}).virial);
  // A stress of a frame without a cell.
  const TargetKeys stress = on({{"energy", "e"}, {"stress", "st"}});
  Structure molecule = with_targets(two_atoms("e=1 st=\"0 0 0 0 0 0\"", "", "", "", ""), stress);
  CHECK(contains(error_of([&] { base_rows(molecule, stress.base, target_info(Property::virial)); }), "no cell with a volume"));
}

TEST_CASE("wrong values of the base are errors, whatever is used or masked") {
  const auto error = [](const Structure& s, const TargetKeys& keys) {
    TargetKeys unused = keys;
    unused.use = PerTarget<bool>(false);
    const std::string text = error_of([&] { with_targets(s, keys); });
    CHECK(error_of([&] { with_targets(s, unused); }) == text);
    return text;
  };
  const TargetKeys energy = on({{"energy", "e"}}), forces = on({{"energy", "e"}, {"forces", "f"}});
  CHECK(contains(error(two_atoms("e=nan"), energy), "key 'e' is 'nan', expected a finite number"));
  CHECK(contains(error(two_atoms("e=\"1 2\""), energy), "key 'e'"));
  CHECK(contains(error(two_atoms("e=text"), energy), "key 'e' is 'text'"));
  CHECK(contains(error(two_atoms("e=1", ":f:R:2", "1 2", "3 4"), forces), "column 'f' has 2 values per atom, expected 3 real numbers"));
  CHECK(contains(error(two_atoms("e=1", ":f:R:2", "1 2", "3 4"), forces), "with forces in [[baseline]]"));
  CHECK(contains(error(two_atoms("e=1", ":f:R:3", "1 2 3", "4 nan 6"), forces), "column 'f' has nan as force component 2 of atom 2"));
  CHECK(contains(error(two_atoms("e=1", ":f:R:3:force_mask:L:1", "1 2 3 F", "4 inf 6 T"), forces), "column 'f' has inf"));
  CHECK(contains(error(two_atoms("e=1 v=\"1 5 0 0 1 0 0 0 1\""), on({{"energy", "e"}, {"virial", "v"}})), "not symmetric"));
  CHECK(contains(
      error(two_atoms("e=1 v=\"1 0 0 0 1 0 0 0 1\" t=\"1 0 0 0 1 0 0 0 1\""), on({{"energy", "e"}, {"virial", "v"}, {"stress", "t"}})),
      "disagree"));
}

TEST_CASE("a default name that the base takes is not that of a label, nor does it look like one") {
  const TargetKeys keys = on({{"energy", "dft_energy"}, {"forces", "base_forces"}});
  const Structure s = with_targets(two_atoms("dft_energy=-3", ":base_forces:R:3", "1 1 1", "1 1 1"), keys);
  CHECK(s.energy == -7.0);
  CHECK(s.base[Property::energy] == std::vector<double>{-3});
  CHECK(contains(error_of([&] { with_targets(two_atoms("dft_energy=-3"), {}); }), "could hold the energy"));

  Structure unlabelled = two_atoms("base_energy=-3 base_virial=\"1 0 0 0 1 0 0 0 1\"");
  std::erase_if(unlabelled.fields, [](const Field& f) { return f.key == "energy"; });
  const TargetKeys other = on({{"energy", "base_energy"}, {"virial", "base_virial"}});
  LookAlikes with(other), without;
  with.add(with_targets(unlabelled, other));
  without.add(with_targets(unlabelled, {}));
  for (const Property p : {Property::energy, Property::virial}) {
    CHECK(!with.is_lost(p));
    CHECK(without.is_lost(p));
  }
  CHECK(!with.has_unknown_scalar());
}
