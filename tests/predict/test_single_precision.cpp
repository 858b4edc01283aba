// Predictions in single precision against double precision.

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

bool has_soap(const Model& model) {
  for (const Term& term : model.terms)
    if (term.descriptor->size() > 3) return true;
  return false;
}

}  // namespace

TEST_CASE("single precision: energies, forces and virials are close to those in double precision") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    bool differs = false;
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(sample.label);
      const Prediction full = predictor.compute(sample.structure);
      const Prediction single = predictor.compute(sample.structure, {.single_precision = true});
      const double scale = 1 + full.forces->cwiseAbs().maxCoeff();
      CHECK(largest_difference(*single.forces, *full.forces) <= 1e-5 * scale);
      CHECK(largest_difference(*single.virial, *full.virial) <= 1e-5 * (1 + full.virial->cwiseAbs().maxCoeff()));
      check_close(single.energy, full.energy, 1e-5 * sample.structure.size(), 1e-6);
      differs = differs || *single.forces != *full.forces;
      // A later call is not affected.
      CHECK(*predictor.compute(sample.structure).forces == *full.forces);
    }
    CHECK(differs == has_soap(*toy.model));
  }
}

TEST_CASE("single precision: several structures at once") {
  const ToyModel& toy = toy_models().back();
  Predictor predictor(toy.model);
  std::vector<Structure> structures;
  for (const ToyStructure& sample : toy_structures(toy.elements)) structures.push_back(sample.structure);
  const std::vector<Prediction> together = predictor.compute(structures, {.single_precision = true});
  for (std::size_t k = 0; k < structures.size(); ++k) {
    const Prediction alone = predictor.compute(structures[k], {.single_precision = true});
    check_close(together[k].energy, alone.energy, 1e-9, 1e-9);
    CHECK(largest_difference(*together[k].forces, *alone.forces) <= 1e-9 * (1 + alone.forces->cwiseAbs().maxCoeff()));
  }
}

TEST_CASE("single precision: a request of error bars is computed in double precision, to the last bit") {
  for (const ToyModel& toy : toy_models()) {
    CAPTURE(toy.label);
    Predictor predictor(toy.model);
    for (const ToyStructure& sample : toy_structures(toy.elements))
      for (const bool is_local : {false, true}) {
        PredictionRequest request{.energy_std = !is_local, .local_std = is_local};
        const Prediction full = predictor.compute(sample.structure, request);
        request.single_precision = true;
        const Prediction single = predictor.compute(sample.structure, request);
        CHECK(single.energy == full.energy);
        CHECK(*single.forces == *full.forces);
        CHECK(single.energy_std == full.energy_std);
        if (is_local) CHECK(*single.local_energy_std_epistemic == *full.local_energy_std_epistemic);
      }
  }
}
