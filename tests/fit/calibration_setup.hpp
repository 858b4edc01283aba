#pragma once

#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/fit.hpp>

#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

namespace gapkit::test {

/// Twenty structures of two elements, of two config types; forces with an error that the model cannot follow.
struct CalibrationSetup {
  TemporaryFolder folder;
  std::vector<Structure> frames;
  FitConfiguration options;

  CalibrationSetup() {
    std::mt19937_64 random(5);
    Normal normal;
    for (unsigned seed = 1; seed <= 20; ++seed) {
      frames.push_back(labelled(random_triclinic(4, seed, {6, 14}), seed % 2 ? "odd" : "even"));
      for (double& f : frames.back().forces->reshaped()) f += 0.2 * normal(random);
      frames.back().set_column("forces", 3, {frames.back().forces->data(), frames.back().forces->data() + 12});
    }
    options =
        small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_two_body(0.6, 8), small_soap(2, 2, 3, 12)});
    options.keep_statistics = true;
    options.calibration = {.source = CalibrationOptions::Source::none, .fewest_structures = 1};
  }
  FitConfiguration with_holdout(double fraction = 0.2) const {
    FitConfiguration o = options;
    o.calibration.source = CalibrationOptions::Source::holdout;
    o.calibration.holdout = fraction;
    return o;
  }
};

inline const CalibrationFactors& factors_of(const Model& model, Property property, const std::string& config_type = "default") {
  REQUIRE(model.calibration.has_value());
  const CalibrationFactors* found = model.calibration->find(property, config_type);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace gapkit::test
