// Extrapolation grades: against the dense reference, in all ways to ask for them, and refusals.

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/relative_novelty.hpp>
#include <gapkit/model/sample.hpp>
#include <gapkit/predict/extrapolation.hpp>

#include "support/dense_reference.hpp"
#include "support/dense_setups.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// The thresholds of the two elements differ, so that a wrong element is seen.
const std::vector<ExtrapolationThreshold> thresholds = {{6, 0.05, 0.02, 100}, {14, 0.08, 0.05, 100}};

std::shared_ptr<const Model> with_thresholds(Model model, const std::vector<ExtrapolationThreshold>& some = thresholds) {
  model.calibration.emplace();
  model.calibration->source = "leave_one_out";
  model.calibration->factors = {{Property::energy, "default", 2.0, 0.7, 100, 10}};
  model.calibration->extrapolation = some;
  return std::make_shared<const Model>(std::move(model));
}

std::vector<double> scales_of(const Setup& setup) {
  std::vector<double> scale;
  for (std::size_t t = 0; t < setup.terms.size(); ++t) scale.push_back(0.6 + 0.3 * static_cast<double>(t));
  return scale;
}

/// The parts of an atom's local energy that belong to one term.
DenseFunctional of_term(const DenseFunctional& all, std::size_t term) {
  DenseFunctional result;
  for (const DenseFunctional::Part& part : all.parts)
    if (part.term == term) result.parts.push_back(part);
  return result;
}

/// The definition of methods.md, section 5, with terms whose δ has the changed amplitude.
double grade_of(const std::vector<Term>& terms, const DenseSparseProcess& dense, const DenseFunctional& atom, int element) {
  double weighted = 0, weights = 0;
  for (std::size_t t = 0; t < terms.size(); ++t) {
    const double unit = std::pow(terms[t].delta * terms[t].descriptor->multiplicity(), 2);
    if (std::count(terms[t].species.begin(), terms[t].species.end(), element) > 0) weights += unit;
    const DenseFunctional part = of_term(atom, t);
    if (part.parts.empty()) continue;
    const auto prior = static_cast<double>(prior_variance(terms, {part})[0]), novelty = static_cast<double>(dense.novelty({part})[0]);
    weighted += unit * novelty / std::max(prior, 0.01 * unit);
  }
  const auto variance = static_cast<double>(dense.novelty({atom})[0] + dense.data({atom})[0]);
  const ExtrapolationThreshold& threshold = element == 6 ? thresholds[0] : thresholds[1];
  return std::max(std::sqrt(weighted / weights) / threshold.novelty, std::sqrt(variance) / threshold.std);
}

}  // namespace

TEST_CASE("extrapolation grades equal those of dense algebra, with several terms of an element and changed amplitudes") {
  double largest = 0, smallest = 1e9;
  for (const Setup& setup : general_setups()) {
    CAPTURE(setup.label);
    const std::vector<double> scale = scales_of(setup);
    Setup changed = setup;
    std::vector<double> jitter;
    for (std::size_t t = 0; t < setup.terms.size(); ++t) {
      changed.terms[t].delta *= scale[t];
      jitter.push_back(setup.jitter * scale[t] * scale[t]);
    }
    const DenseSparseProcess dense(changed.terms, jitter, observations_of(setup.options, changed.terms, lone_atom_energies(), setup.train));
    Predictor predictor(with_thresholds(model_of(setup, scale)));
    for (const Structure& s : all_of(setup)) {
      const Prediction p = predictor.compute(s, {.forces = false, .extrapolation = true});
      REQUIRE(p.extrapolation.has_value());
      const std::vector<DenseFunctional> shares = local_energies_of(changed.terms, s);
      for (Eigen::Index i = 0; i < p.extrapolation->size(); ++i) {
        const auto k = static_cast<std::size_t>(i);
        const double expected = grade_of(changed.terms, dense, shares[k], s.atomic_numbers[k]);
        check_close((*p.extrapolation)[i], expected, 1e-4, 1e-4);  // roots of novelty near zero
        largest = std::max(largest, expected);
        smallest = std::min(smallest, expected);
      }
    }
  }
  CHECK(largest > 2);
  CHECK(smallest < 0.8);
}

TEST_CASE("extrapolation grades do not depend on how they are asked for") {
  const Setup setup = general_setups().back();
  const auto model = with_thresholds(model_of(setup));
  const std::vector<Structure> structures = all_of(setup);
  Predictor predictor(model), few(model, 5);
  const std::vector<Prediction> together = predictor.compute(structures, {.local_std = true, .extrapolation = true});
  const std::vector<Prediction> of_few = few.compute(structures, {.energy_std = true, .local_std = true, .extrapolation = true});
  double most_from_few = 0;
  for (std::size_t k = 0; k < structures.size(); ++k) {
    CAPTURE(k);
    const Structure& s = structures[k];
    const Prediction alone = predictor.compute(s, {.extrapolation = true}), mean = predictor.compute(s);
    const Prediction bars = predictor.compute(s, {.local_std = true});
    REQUIRE(alone.extrapolation.has_value());
    REQUIRE(alone.extrapolation->size() == s.size());
    CHECK(alone.energy == mean.energy);
    CHECK_FALSE(alone.local_energy_std_epistemic.has_value());
    CHECK_FALSE(mean.extrapolation.has_value());
    CHECK_FALSE(bars.extrapolation.has_value());
    CHECK(largest_difference(*together[k].extrapolation, *alone.extrapolation) < 1e-5);
    CHECK(largest_difference(*together[k].local_energy_std_epistemic, *bars.local_energy_std_epistemic) < 1e-8);
    // Error bars of fewer points are wider; the grade has all points.
    CHECK(largest_difference(*of_few[k].extrapolation, *alone.extrapolation) < 1e-5);
    CHECK(largest_difference(*few.compute(s, {.extrapolation = true}).extrapolation, *alone.extrapolation) < 1e-5);
    most_from_few = std::max(most_from_few, (*of_few[k].local_energy_std_epistemic - *bars.local_energy_std_epistemic).maxCoeff());
    // single precision has no effect on the grade
    CHECK(largest_difference(*predictor.compute(s, {.extrapolation = true, .single_precision = true}).extrapolation, *alone.extrapolation) <
          1e-12);
    const StructureEnvironments environments(s, model->cutoff());
    const Prediction given = predictor.compute(environments.view(), s.size(), {.extrapolation = true});
    CHECK(largest_difference(*given.extrapolation, *alone.extrapolation) < 1e-5);
  }
  CHECK(most_from_few > 5e-5);  // in the grade this would be seen
}

TEST_CASE("an atom far from all others, and a term near its cutoff, give grades without NaN; a term without points counts as novel") {
  const Setup setup = general_setups().back();
  Model fitted = model_of(setup);
  Predictor predictor(with_thresholds(fitted));
  Structure pair;
  pair.atomic_numbers = {14, 14};
  for (const double distance : {1.5, 2.5, predictor.model().cutoff() - 1e-7, 50.0}) {
    CAPTURE(distance);
    pair.positions = Positions::Zero(2, 3);
    pair.positions(1, 0) = distance;
    const Vector grades = *predictor.compute(pair, {.extrapolation = true}).extrapolation;
    CHECK(grades.allFinite());
    CHECK(std::abs(grades[0] - grades[1]) <= 1e-6 * grades[0]);
  }
  const RelativeNovelty novelty(fitted);
  const auto terms = static_cast<Eigen::Index>(fitted.terms.size());
  const Eigen::RowVectorXd none = Eigen::RowVectorXd::Zero(terms);
  CHECK(novelty.square(14, none, none) == 0);  // no environments
  Eigen::RowVectorXd prior = none;
  double own = 0, all = 0;
  for (Eigen::Index t = 0; t < terms; ++t) {
    const Term& term = fitted.terms[static_cast<std::size_t>(t)];
    if (std::count(term.species.begin(), term.species.end(), 14) == 0) continue;
    const double unit = std::pow(term.delta * term.descriptor->multiplicity(), 2);
    all += unit;
    if (t % 2 == 0) prior[t] = 7 * unit, own += unit;
  }
  check_close(novelty.square(14, none, prior), own / all, 0, 1e-12);
}

TEST_CASE("extrapolation grades are refused with a sentence that says what is missing, and are never NaN") {
  const Setup setup = general_setups().back();
  Model fitted = model_of(setup);
  const Structure s = setup.other.front();
  const auto refusal = [&](const std::shared_ptr<const Model>& model) {
    Predictor predictor(model);
    CHECK_NOTHROW((void)predictor.compute(s));
    return message_of<InputError>([&] { (void)predictor.compute(s, {.extrapolation = true}); });
  };
  CHECK(refusal(std::make_shared<const Model>(fitted)).find("has no extrapolation thresholds") != std::string::npos);
  CHECK(refusal(with_thresholds(fitted, {})).find("[calibration] source = \"leave_one_out\"") != std::string::npos);
  const bool has_silicon = std::count(s.atomic_numbers.begin(), s.atomic_numbers.end(), 14) > 0;
  const auto without = with_thresholds(fitted, {thresholds[has_silicon ? 0 : 1]});
  CHECK(refusal(without).find(has_silicon ? "no extrapolation threshold for Si" : "no extrapolation threshold for C") != std::string::npos);
  CHECK_FALSE(gives_extrapolation(*without, s.atomic_numbers));
  CHECK(gives_extrapolation(*with_thresholds(fitted), s.atomic_numbers));
  CHECK(refusal(std::make_shared<const Model>(sample_model(fitted, 1, 0))).find("no posterior") != std::string::npos);

  fitted.posterior.factor(1, 0) = std::nan("");
  Predictor damaged(with_thresholds(fitted));
  CHECK_THROWS_AS((void)damaged.compute(s, {.extrapolation = true}), NumericalError);
}
