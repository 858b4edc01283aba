// Fits with kernels of infinitely wide networks.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/dense_setups.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

TermOptions network_term(TermOptions term, const std::string& kernel, const std::string& activation) {
  term.kernel = kernel;
  term.kernel_parameters = complete_parameters({{"activation", activation}}, kernel_kind(kernel).parameters, "test");
  return term;
}

FitResult fit_of(const std::vector<Structure>& frames, FitConfiguration options) {
  MemoryDataset train(frames);
  return fit({.train = train}, options);
}

}  // namespace

TEST_CASE("fits with ntk and nngp: forces are derivatives, models keep their input scale, error bars are finite") {
  const std::vector<Structure> frames = random_structures(6, 4, 301, silicon);
  const Structure test = random_structures(1, 4, 401, silicon).front();
  const TemporaryFolder folder;
  for (const std::string kernel : {"ntk", "nngp"})
    for (const bool with_pairs : {false, true}) {
      CAPTURE(kernel);
      CAPTURE(with_pairs);
      std::vector<TermOptions> terms = {network_term(small_soap(3, 2, 2, 12), kernel, "gelu")};
      if (with_pairs) terms.push_back(network_term(small_two_body(1, 8), kernel, "erf"));
      const Model fitted = fit_of(frames, small_options("", terms)).model;
      CHECK(fitted.terms[0].kernel->parameters().real("input_scale") == 1);
      const auto path = folder.path() / "model.h5";
      save_model(fitted, path);
      CHECK(read_text(path).find("gapkit-model") != std::string::npos);
      Predictor predictor(std::make_shared<const Model>(load_model(path))), before(std::make_shared<const Model>(fitted));
      const PredictionRequest request{.energy_std = true, .force_std = true, .stress_std = true};
      const Prediction p = predictor.compute(test, request);
      CHECK(p.energy == before.compute(test, request).energy);
      CHECK(p.energy_std.value() > 0);
      CHECK(largest_entry(*p.forces_std) < 100);
      CHECK(p.forces_std->minCoeff() > 0);
      const double h = 1e-4;
      for (int atom = 0; atom < 2; ++atom)
        for (int a = 0; a < 3; ++a) {
          Structure up = test, down = test;
          up.positions(atom, a) += h;
          down.positions(atom, a) -= h;
          const double expected = -(predictor.compute(up).energy - predictor.compute(down).energy) / (2 * h);
          check_close((*p.forces)(atom, a), expected, 1e-5);
        }
    }
}

TEST_CASE("relu: refused with forces before the fit begins, fitted to energies, and predictions without forces") {
  const std::vector<Structure> frames = random_structures(6, 4, 311, silicon);
  const FitConfiguration options = small_options("", {network_term(small_soap(2, 2, 2, 10), "ntk", "relu")});
  const std::string message = message_of<InputError>([&] { fit_of(frames, options); });
  CHECK(message.find("relu") != std::string::npos);
  CHECK(message.find("energies only") != std::string::npos);
  CHECK(message.find("forces") != std::string::npos);
  FitConfiguration energies = options;
  energies.use[Property::force] = energies.use[Property::virial] = false;
  Predictor predictor(std::make_shared<const Model>(fit_of(frames, energies).model));
  CHECK(std::isfinite(predictor.compute(frames[0], {.forces = false, .energy_std = true}).energy_std.value()));
  for (const PredictionRequest& request : {PredictionRequest{}, PredictionRequest{.forces = false, .force_std = true}})
    CHECK(message_of<InputError>([&] { predictor.compute(frames[0], request); }).find("energies only") != std::string::npos);
}
