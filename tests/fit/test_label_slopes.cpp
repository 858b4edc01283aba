// Slopes of energy differences against derivatives: which mistakes explain them.

#include <functional>
#include <gapkit/core/units.hpp>

#include "fit/label_slopes.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Pairs of strained copies whose volumes are `volume` and up to `spread` times larger; y is what x is multiplied by.
Slopes pairs(double volume, double spread, const std::function<double(double)>& y) {
  Slopes slopes;
  for (int i = 0; i < 12; ++i) {
    const double v = volume * (1 + (spread - 1) * i / 11), x = (0.01 + 0.003 * (i % 5)) * (i % 2 ? 1 : -1);
    slopes.add(x, y(v) * x, 2, v);
  }
  return slopes;
}

TargetReport with_virials() {
  TargetReport targets;
  targets.keys["virial"]["virial"] = 1;
  return targets;
}

TargetReport with_stresses() {
  TargetReport targets;
  targets.keys["stress"]["stress"] = 1;
  return targets;
}

bool has(const SlopeCauses& causes, const std::string& text) {
  return causes.meaning.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("label slopes: a missing volume is told from a unit") {
  const SlopeCauses stress = causes_of(pairs(20, 2, [](double v) { return -v; }), strain_causes(with_virials()));
  INFO(stress.meaning);
  CHECK(has(stress, "the virials look like stresses in eV/Å³, positive under tension"));
  CHECK(!has(stress, "Hartree"));
  CHECK(!has(stress, "GPa"));
  CHECK(stress.is_close);
  CHECK(!stress.is_reversed);
  const SlopeCauses virial = causes_of(pairs(20, 2, [](double v) { return -1 / v; }), strain_causes(with_stresses()));
  INFO(virial.meaning);
  CHECK(has(virial, "the stresses look like virials in eV"));
  CHECK(!has(virial, "Hartree"));
  CHECK(!has(virial, "Rydberg"));
}

TEST_CASE("label slopes: all causes that cannot be told apart are named") {
  const SlopeCauses energies = causes_of(pairs(20, 2, [](double) { return 93.75; }), strain_causes(with_stresses()));
  INFO(energies.meaning);
  CHECK(has(energies, "the energies seem to be in kJ/mol"));
  CHECK(has(energies, "the stress seems to be in Rydberg/Bohr³"));
  // Copies of the same volume do not tell a unit from the volume.
  const SlopeCauses alike = causes_of(pairs(28, 1.001, [](double) { return -28.0; }), strain_causes(with_virials()));
  INFO(alike.meaning);
  CHECK(has(alike, "the virials look like stresses in eV/Å³"));
  CHECK(has(alike, "the virial seems to be in Hartree"));
}

TEST_CASE("label slopes: the sign alone, a factor that is near a unit, and none") {
  const SlopeCauses sign = causes_of(pairs(20, 2, [](double) { return -0.9; }), strain_causes(with_virials()));
  CHECK(sign.is_reversed);
  CHECK(sign.is_close);
  CHECK(has(sign, "the sign of the virial is reversed"));
  const SlopeCauses near = causes_of(pairs(1, 1, [](double) { return 46.6; }), displacement_causes());
  INFO(near.meaning);
  CHECK(has(near, "the forces seem to be in Hartree/Bohr"));
  CHECK(!near.is_close);
  CHECK(causes_of(pairs(1, 1, [](double) { return 3.0; }), displacement_causes()).meaning.empty());
  CHECK(causes_of(pairs(1, 1, [](double) { return NAN; }), displacement_causes()).meaning.empty());
}

TEST_CASE("label slopes: energies per atom") {
  const SlopeCauses per_atom = causes_of(pairs(1, 1, [](double) { return 0.5; }), displacement_causes());
  INFO(per_atom.meaning);
  CHECK(has(per_atom, "energies per atom"));
}
