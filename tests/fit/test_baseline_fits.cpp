// Baselines in a fit: taken off the data, added in prediction, kept in the model file.

#include <gapkit/fit/fit.hpp>
#include <gapkit/model/sample.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

PotentialPointer zbl(double inner, double outer) {
  return make_potential("zbl", {{"inner", inner}, {"outer", outer}});
}

// One of every kind that needs no table.
std::vector<PotentialPointer> baselines() {
  return {zbl(1.5, 3.0), make_potential("stillinger_weber", {{"epsilon", 0.2}}),
          make_potential("lennard_jones", {{"sigma", 1.6}, {"epsilon", 0.1}, {"cutoff", 3.5}})};
}

Structure dimer(double distance) {
  Structure s;
  s.atomic_numbers = {14, 14};
  s.positions = Positions::Zero(2, 3);
  s.positions(1, 2) = distance;
  return s;
}

void check_not_learned(const PotentialPointer& baseline) {
  const TemporaryFolder folder;
  std::vector<Structure> plain, raised;
  for (unsigned seed = 1; seed <= 6; ++seed) plain.push_back(labelled(random_triclinic(5, seed)));
  for (Structure s : plain) {
    Structure lowered = s;
    subtract_potentials({&baseline, 1}, lowered);
    *s.energy += *s.energy - *lowered.energy;
    *s.forces += *s.forces - *lowered.forces;
    *s.virial += *s.virial - *lowered.virial;
    s.set_field("energy", *s.energy);
    s.set_column("forces", 3, std::vector<double>(s.forces->data(), s.forces->data() + s.forces->size()));
    s.set_field("virial", std::vector<double>(s.virial->data(), s.virial->data() + 9));
    raised.push_back(s);
  }
  FitConfiguration options =
      small_options(write_frames((folder.path() / "plain.xyz").string(), plain), {small_two_body(0.6, 12), small_soap(2, 2, 2, 15)});
  for (const auto mode : {ReferenceEnergyOptions::Mode::explicit_values, ReferenceEnergyOptions::Mode::least_squares}) {
    options.reference_energies.mode = mode;
    options.train = {(folder.path() / "plain.xyz").string()};
    options.baselines.clear();
    const Model without = fit(options).model;
    options.train = {write_frames((folder.path() / "raised.xyz").string(), raised)};
    options.baselines = {baseline};
    const Model with = fit(options).model;
    CHECK(with.cutoff() >= baseline->cutoff());
    for (const auto& [z, e0] : without.reference_energies) check_close(with.reference_energies.at(z), e0, 1e-9);
    CHECK(largest_difference(with.weights, without.weights) <= 1e-6 * without.weights.cwiseAbs().maxCoeff());

    const std::string path = (folder.path() / "model.h5").string();
    save_model(with, path);
    Predictor a(std::make_shared<const Model>(without)), b(std::make_shared<const Model>(load_model(path)));
    Structure s = random_triclinic(6, 99);
    const Prediction expected = a.compute(s), actual = b.compute(s, {.forces = true, .energy_std = true});
    s.energy = actual.energy;
    s.forces = actual.forces;
    s.virial = actual.virial;
    subtract_potentials({&baseline, 1}, s);
    check_close(*s.energy, expected.energy, 1e-7);
    CHECK(largest_difference(*s.forces, *expected.forces) <= 1e-6);
    CHECK(largest_difference(*s.virial, *expected.virial) <= 1e-5);
    // No error bar of its own; members of an ensemble have it too.
    check_close(*actual.energy_std_epistemic, *a.compute(s, {.forces = false, .energy_std = true}).energy_std_epistemic, 1e-7);
    Predictor member(std::make_shared<const Model>(sample_model(with, 1, 0)));
    CHECK(member.compute(dimer(0.3)).energy > 100);
  }
}

}  // namespace

TEST_CASE("a baseline that the data contain is not learned: the rest is fitted as if it had never been there") {
  for (const PotentialPointer& baseline : baselines()) {
    const std::string name = baseline->name();
    CAPTURE(name);
    check_not_learned(baseline);
  }
}

TEST_CASE("with a repulsive baseline two atoms do not fuse") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 5; ++seed) frames.push_back(labelled(random_triclinic(5, seed)));
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_soap(2, 2, 2, 15)});
  options.baselines = {zbl(0.8, 1.5)};
  Predictor predictor(std::make_shared<const Model>(fit(options).model));
  double before = predictor.compute(dimer(1.0)).energy;
  for (double r = 0.9; r > 0.15; r -= 0.1) {
    const Prediction p = predictor.compute(dimer(r));
    CHECK(p.energy > before);
    CHECK((*p.forces)(1, 2) > 0);
    before = p.energy;
  }
}
