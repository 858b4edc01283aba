// A model reduced to its first sparse points is the model that a fit with these points gives.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct FewerPointsSetup {
  TemporaryFolder folder;
  std::string train;

  FewerPointsSetup() {
    std::vector<Structure> frames;
    for (unsigned seed = 1; seed <= 8; ++seed) frames.push_back(labelled(random_triclinic(5, seed, {14}), "default"));
    train = write_frames((folder.path() / "train.xyz").string(), frames);
  }

  Model fitted(int pairs, int environments) const {
    TermOptions two_body = small_two_body(0.8, pairs), soap = small_soap(3, 2, 3, environments);
    two_body.selection = soap.selection = "variance";
    FitConfiguration options = small_options(train, {two_body, soap});
    options.jitter = 1e-7;
    return fit(options).model;
  }
};

}  // namespace

TEST_CASE("the first n points of a selection are the selection of n points, and the reduced model is their fit") {
  const FewerPointsSetup setup;
  const auto full = std::make_shared<const Model>(setup.fitted(8, 24));
  const Model reduced = with_fewer_points(*full, 16);
  const Model expected = setup.fitted(4, 12);
  REQUIRE(reduced.terms[0].sparse.size() == 4);
  REQUIRE(reduced.terms[1].sparse.size() == 12);
  for (std::size_t t = 0; t < 2; ++t) CHECK(largest_difference(reduced.terms[t].sparse.x, expected.terms[t].sparse.x) == 0);
  CHECK(largest_difference(reduced.posterior.factor, expected.posterior.factor) <= 1e-8 * expected.posterior.factor.cwiseAbs().maxCoeff());
  CHECK(largest_difference(reduced.posterior.mean, expected.posterior.mean) <= 1e-6 * expected.posterior.mean.cwiseAbs().maxCoeff());

  // Error bars of the few points, mean of all.
  Predictor some(full, 16), all(full), few(std::make_shared<const Model>(expected));
  const Structure s = random_triclinic(6, 77, {14});
  const PredictionRequest request{.energy_std = true, .local_std = true, .force_std = true, .stress_std = true};
  const Prediction a = some.compute(s, request), b = few.compute(s, request), c = all.compute(s, request);
  CHECK(a.energy == c.energy);
  check_close(*a.energy_std_epistemic, *b.energy_std_epistemic, 0, 1e-6);
  CHECK(largest_difference(*a.forces_std_epistemic, *b.forces_std_epistemic) <= 1e-6 * b.forces_std_epistemic->maxCoeff());
  CHECK(largest_difference(*a.virial_std_epistemic, *b.virial_std_epistemic) <= 1e-6 * b.virial_std_epistemic->maxCoeff());
  CHECK(largest_difference(*a.local_energy_std_epistemic, *b.local_energy_std_epistemic) <=
        1e-6 * b.local_energy_std_epistemic->maxCoeff());
  CHECK(*a.energy_std_epistemic > *c.energy_std_epistemic);
}

TEST_CASE("as many points as there are change nothing; none, more, and a model without posterior, are refused") {
  const FewerPointsSetup setup;
  Model model = setup.fitted(4, 6);
  CHECK(largest_difference(with_fewer_points(model, 10).posterior.factor, model.posterior.factor) == 0);
  CHECK(message_of<InputError>([&] { with_fewer_points(model, 11); }).find("11 sparse points, but the model has 10") != std::string::npos);
  CHECK(message_of<InputError>([&] { with_fewer_points(model, 0); }).find("at least 1") != std::string::npos);
  model.posterior = {};
  CHECK(message_of<InputError>([&] { with_fewer_points(model, 3); }).find("no posterior") != std::string::npos);
}
