#pragma once

#include <functional>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>

namespace gapkit {

/// Numbers of the training frames that each round of the calibration sets aside; no rounds without a holdout.
/// Throws InputError if a term names environments by their number among all structures.
std::vector<std::vector<std::int64_t>> held_out_of_rounds(const Dataset& train, const FitOptions& options);
/// Of the first round, whose fit gives the model; empty if there are no rounds.
std::vector<std::int64_t> held_out_of_fit(const Dataset& train, const FitOptions& options);

/// The rounds of a calibration.
struct CalibrationRounds {
  std::vector<std::vector<std::int64_t>> held_out;  ///< of each round; the first one has its model already
  std::function<Model(const Dataset& training, const ProgressCallback& progress)> fit;
  double elapsed = 0;   ///< s, since the fit began
  double expected = 0;  ///< s, of a further round
};

/// Calibrates the error bars according to options.calibration, then adds the structures held out by the first round to the fit.
void calibrate_fit(FittedModel& fitted, const FitData& data, const FitOptions& options, const CalibrationRounds& rounds,
                   const ProgressCallback& progress);

}  // namespace gapkit
