// Error bars of predictions: what they contain, how they grow, and cases in which they follow from each other exactly.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

constexpr PredictionRequest error_bars{.forces = false, .energy_std = true, .local_std = true};

double noise(const Prediction& p) {
  return std::sqrt(std::pow(*p.energy_std, 2) - std::pow(*p.energy_std_epistemic, 2));
}

}  // namespace

TEST_CASE("the predicted std is the epistemic one and the noise of the structure's config type") {
  for (const ToyModel& toy : toy_models())
    for (ToyStructure sample : toy_structures(toy.elements)) {
      CAPTURE(toy.label);
      CAPTURE(sample.label);
      Predictor predictor(toy.model);
      Structure& s = sample.structure;
      for (const auto& [config_type, sigma] : {std::pair{"default", 0.01}, std::pair{"odd", 0.03}, std::pair{"never seen", 0.01}}) {
        s.config_type = config_type;
        const Prediction p = predictor.compute(s, error_bars);
        REQUIRE(p.energy_std);
        REQUIRE(p.energy_std_epistemic);
        CHECK(*p.energy_std_epistemic > 0);
        CHECK(*p.energy_std >= *p.energy_std_epistemic);
        check_close(noise(p), sigma * std::sqrt(s.size()), 1e-9, 1e-6);
        REQUIRE(p.local_energy_std_epistemic->size() == s.size());
        // An atom without a triplet has nothing to be in doubt about.
        CHECK(p.local_energy_std_epistemic->minCoeff() >= 0);
        if (toy.has_soap || toy.has_pairs) CHECK(p.local_energy_std_epistemic->minCoeff() > 0);
      }
    }
}

TEST_CASE("without √N the noise is the same for every size") {
  Model model = *toy_models()[3].model;
  model.scale_with_atoms = false;
  Predictor predictor(std::make_shared<const Model>(model));
  for (const int atoms : {2, 9}) check_close(noise(predictor.compute(random_triclinic(atoms, 41), error_bars)), 0.01, 1e-9, 1e-6);
}

TEST_CASE("a model fitted without energies has no energy noise: the std is epistemic") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), toy_training_frames({14}));
  FitConfiguration options = small_options(train, {small_soap(3, 2, 2, 20)});
  options.use[Property::energy] = false;
  Predictor predictor(std::make_shared<const Model>(fit(options).model));
  const Prediction p = predictor.compute(random_triclinic(5, 42), error_bars);
  CHECK(*p.energy_std_epistemic > 0);
  CHECK(*p.energy_std == *p.energy_std_epistemic);
}

TEST_CASE("what the model was fitted to is much surer than what is far from it") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    // Kernels of compact support hardly see what is not close to a sparse point, and a few triplets do not span all of them: these
    // models are far from sure anywhere.
    if (toy.label.find("compact") != std::string::npos || (!toy.has_soap && !toy.has_pairs)) continue;
    for (const Structure& known : toy_training_frames(toy.elements)) {
      Structure strange = deformed(known, Matrix3(0.62 * Matrix3::Identity()));
      const Prediction near = predictor.compute(known, error_bars), far = predictor.compute(strange, error_bars);
      // A linear kernel has so few directions that all of them are known well.
      const double factor = toy.label.find("zeta 1") != std::string::npos ? 1 : 5;
      CHECK(*near.energy_std_epistemic * factor < *far.energy_std_epistemic);
      // Total energies of training structures were data with σ √N: their error cannot exceed it by much.
      CHECK(*near.energy_std_epistemic < 1.5 * 0.03 * std::sqrt(known.size()));
    }
  }
}

TEST_CASE("copies are perfectly correlated: a supercell's epistemic std is that of the cell times the copies") {
  for (const ToyModel& toy : toy_models())
    for (const unsigned seed : {43u, 44u}) {
      CAPTURE(toy.label);
      // The double sum over all triplets of so many atoms takes minutes where there is no low-rank form.
      if (seed == 43 && toy.label.find("compact") != std::string::npos) continue;
      Predictor predictor(toy.model);
      const Structure cell = random_triclinic(7, seed, toy.elements);
      // 560 atoms: more than one block of the double sum over environments
      const Structure large = seed == 43 ? supercell(cell, 5, 4, 4) : supercell(cell, 2, 1, 3);
      const int copies = large.size() / cell.size();
      const Prediction one = predictor.compute(cell, error_bars), many = predictor.compute(large, error_bars);
      check_close(*many.energy_std_epistemic, copies * *one.energy_std_epistemic, 0, 1e-4);
      CHECK(largest_difference(*many.local_energy_std_epistemic, Vector(one.local_energy_std_epistemic->replicate(copies, 1))) <=
            1e-4 * one.local_energy_std_epistemic->maxCoeff());
    }
}

TEST_CASE("where one atom is all there is, or two that are alike, local and total std follow from each other") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const Prediction one = predictor.compute(random_triclinic(1, 45), error_bars);
    check_close((*one.local_energy_std_epistemic)[0], *one.energy_std_epistemic, 0, 1e-4);
    Structure dimer = lone_atom(14);
    dimer.atomic_numbers.push_back(14);
    dimer.positions.conservativeResize(2, 3);
    dimer.positions.row(1) << 1.1, 1.7, -0.9;
    const Prediction two = predictor.compute(dimer, error_bars);
    // Two atoms form no triplet.
    if (toy.has_soap || toy.has_pairs)
      CHECK(*two.energy_std_epistemic > 0);
    else
      CHECK(*two.energy_std_epistemic == 0);
    for (int i = 0; i < 2; ++i) check_close(2 * (*two.local_energy_std_epistemic)[i], *two.energy_std_epistemic, 0, 1e-4);
  }
}

TEST_CASE("std of an atom alone: only what knows environments without neighbours has one") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const Prediction alone = predictor.compute(lone_atom(14), error_bars);
    if (toy.has_soap)
      CHECK(*alone.energy_std_epistemic > 0);
    else
      CHECK(*alone.energy_std_epistemic == 0);
    check_close(noise(alone), 0.01, 1e-9, 1e-6);
  }
}

TEST_CASE("error bars do not change with rotation, and not with what else is asked for") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const Structure s = random_triclinic(6, 46, toy.elements);
    const Prediction before = predictor.compute(s, error_bars), after = predictor.compute(rotated(s, 9), error_bars);
    check_close(*after.energy_std_epistemic, *before.energy_std_epistemic, 0, 1e-5);
    const Prediction energy_only = predictor.compute(s, {.forces = true, .energy_std = true});
    CHECK(*energy_only.energy_std_epistemic == *before.energy_std_epistemic);
    CHECK_FALSE(energy_only.local_energy_std_epistemic);
    const Prediction local_only = predictor.compute(s, {.forces = true, .local_std = true});
    CHECK_FALSE(local_only.energy_std);
    CHECK(largest_difference(*local_only.local_energy_std_epistemic, *before.local_energy_std_epistemic) == 0);
  }
}

TEST_CASE("force and stress std: epistemic and noise, in every group the same as the covariance says") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    Structure s = random_triclinic(6, 47, toy.elements);
    s.config_type = "odd";
    const Prediction p = predictor.compute(s, {.forces = true, .force_std = true, .stress_std = true});
    REQUIRE(p.forces_std);
    REQUIRE(p.virial_std);
    CHECK_FALSE(p.energy_std);
    const auto sigma = [&](Property property) {
      double found = 0;
      for (const RowGroup& g : toy.model->posterior.groups)
        if (g.property == property && g.config_class == "odd" && !g.fixed) found = g.sigma;
      return found;
    };
    REQUIRE(sigma(Property::force) > 0);
    Covariance covariance(*toy.model);
    const StructureEnvironments environments(s, toy.model->cutoff());
    const auto variances = covariance.observables(environments.view(), s.size(), {.energy = false, .forces = true, .virial = true});
    for (Eigen::Index i = 0; i < 3 * s.size(); ++i) {
      const double epistemic = p.forces_std_epistemic->data()[i];
      CHECK(epistemic > 0);
      check_close(epistemic, std::sqrt(variances[static_cast<std::size_t>(i)].total()), 0, 1e-6);
      check_close(p.forces_std->data()[i], std::hypot(epistemic, sigma(Property::force)), 0, 1e-9);
    }
    for (Eigen::Index i = 0; i < 6; ++i)
      check_close((*p.virial_std)[i], std::hypot((*p.virial_std_epistemic)[i], sigma(Property::virial) * std::sqrt(s.size())), 0, 1e-9);
  }
}

TEST_CASE("an energy difference is that of two predictions, and copies of one structure have none") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    const Structure a = random_triclinic(5, 48, toy.elements);
    Structure b = a;
    b.positions(0, 1) += 0.05;
    const EnergyDifference moved = predictor.difference(a, b), none = predictor.difference(a, a);
    check_close(moved.energy, predictor.compute(b).energy - predictor.compute(a).energy, 1e-9);
    CHECK(moved.std_epistemic > 0);
    CHECK(moved.std > moved.std_epistemic);
    // Most of the error is common to both.
    CHECK(moved.std_epistemic < 0.7 * *predictor.compute(a, error_bars).energy_std_epistemic);
    CHECK(none.energy == 0);
    CHECK(none.std_epistemic < 1e-3 * *predictor.compute(a, error_bars).energy_std_epistemic);
  }
}
