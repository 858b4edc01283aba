// Extrapolation grades in the C interface are Predictor's, for structures and for centres with ghosts.

#include "c/c_support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::shared_ptr<const Model> graded(const Model& toy) {
  Model model = toy;
  model.calibration.emplace();
  model.calibration->source = "leave_one_out";
  model.calibration->factors = {{Property::energy, "default", 2.0, 0.7, 100, 10}};
  for (const auto& [element, energy] : model.reference_energies)
    model.calibration->extrapolation.push_back({element, 0.01 * element, 0.02 * element, 100});
  return std::make_shared<const Model>(std::move(model));
}

Vector grades_of(const Handle& handle, const Structure& s) {
  Vector grades = Vector::Constant(s.size(), std::nan(""));
  gapkit_results results{};
  results.size = sizeof results;
  results.extrapolation = grades.data();
  evaluate(handle, s, results);
  return grades;
}

}  // namespace

TEST_CASE("extrapolation grades by the C interface are Predictor's, alone, with other results, and of ghosts") {
  double largest = 0;
  for (const ToyModel& toy : c_models()) {
    CAPTURE(toy.label);
    const auto model = graded(*toy.model);
    const Handle handle = handle_of(*model);
    REQUIRE(gapkit_has_extrapolation(handle.get()) == 1);
    Predictor predictor(model);
    for (const ToyStructure& sample : toy_structures(toy.elements)) {
      CAPTURE(sample.label);
      const Structure& s = sample.structure;
      const Vector expected = *predictor.compute(s, {.extrapolation = true}).extrapolation;
      const double tolerance = 1e-5 * (1 + expected.maxCoeff());
      largest = std::max(largest, expected.maxCoeff());
      CHECK(largest_difference(grades_of(handle, s), expected) <= tolerance);
      Results with_all(s.size());
      Vector grades = Vector::Constant(s.size(), std::nan(""));
      gapkit_results results = with_all.all();
      results.extrapolation = grades.data();
      evaluate(handle, s, results);
      CHECK(largest_difference(grades, expected) <= tolerance);
      CHECK(with_all.atom_energies_std_epistemic.allFinite());

      const Ghosts ghosts(s, all_atoms(s.size()), model->cutoff(), model->cutoff());
      const gapkit_environments view = ghosts.view();
      Vector of_all = Vector::Constant(ghosts.atoms(), std::nan(""));
      results = {};
      results.size = sizeof results;
      results.extrapolation = of_all.data();
      REQUIRE(gapkit_evaluate_environments(handle.get(), &view, &results) == GAPKIT_OK);
      for (const int c : ghosts.centres) {
        CHECK(std::abs(of_all[c] - expected[ghosts.original[static_cast<std::size_t>(c)]]) <= tolerance);
        of_all[c] = 0;
      }
      CHECK(of_all.cwiseAbs().maxCoeff() == 0);  // NaN fails
    }
  }
  CHECK(largest > 1);
}

TEST_CASE("extrapolation grades by the C interface: no centres, programs of earlier versions, models without thresholds") {
  const ToyModel& toy = c_models().back();
  const auto model = graded(*toy.model);
  const Handle handle = handle_of(*model), plain = handle_of(*toy.model);
  const Structure s = toy_structures(toy.elements)[2].structure;

  const Ghosts ghosts(s, all_atoms(s.size()), model->cutoff(), model->cutoff());
  gapkit_environments view = ghosts.view();
  view.n_centres = 0;
  Vector grades = Vector::Constant(ghosts.atoms(), std::nan(""));
  gapkit_results results{};
  results.size = sizeof results;
  results.extrapolation = grades.data();
  REQUIRE(gapkit_evaluate_environments(handle.get(), &view, &results) == GAPKIT_OK);
  CHECK(grades.cwiseAbs().maxCoeff() == 0);

  // A program that was compiled before the member existed has a smaller structure.
  double energy = 0;
  Vector untouched = Vector::Constant(s.size(), 7);
  results = {};
  results.size = offsetof(gapkit_results, extrapolation);
  results.energy = &energy;
  results.extrapolation = untouched.data();
  evaluate(handle, s, results);
  CHECK(energy != 0);
  CHECK((untouched.array() == 7).all());

  CHECK(gapkit_has_extrapolation(plain.get()) == 0);
  CHECK(gapkit_has_extrapolation(nullptr) == 0);
  std::array<int, 3> pbc = {};
  const gapkit_structure given = c_structure(s, pbc);
  results.size = sizeof results;
  energy = std::nan("");
  CHECK(gapkit_evaluate(plain.get(), &given, &results) == GAPKIT_ERROR_ERROR_BARS);
  CHECK(std::string(gapkit_error_message()).find("no extrapolation thresholds") != std::string::npos);
  CHECK(std::isnan(energy));
}
