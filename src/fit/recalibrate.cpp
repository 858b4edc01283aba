#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/feature_map_file.hpp>

#include "fit/accumulate.hpp"
#include "fit/left_out_calibration.hpp"

namespace gapkit {

void recalibrate(FittedModel& fitted, const Dataset& data, const ProgressCallback& progress) {
  Model& model = fitted.model;
  FitOptions options;
  options.use = fitted.stored.rules.use;
  options.seed = model.seed;
  if (model.calibration)
    options.calibration.cautious = std::any_of(model.calibration->factors.begin(), model.calibration->factors.end(),
                                               [](const CalibrationFactors& f) { return f.part == EpistemicPart::cautious; });
  const Eigen::Index points = model.factor.size();
  LeftOutCalibration calibration(data, options, points, options.memory * 1e9 - left_out_bytes(options, points),
                                 frames_behind_maps(model.terms));
  const Regularization regularization(fitted.stored.rules);
  const auto show = [&](double atoms) {
    if (progress) progress({.phase = "calibrate", .done = atoms, .unit = "atoms"});
  };
  const std::int64_t rows =
      accumulate(data,
                 {.model = model,
                  .regularization = regularization,
                  .folds = FoldAssigner({}, {}, 0),
                  .fingerprint = fitted.stored.statistics.fingerprint,
                  .watch = [&](const Structure& frame, const FramePlace& place) { calibration.watch(frame, place.number); },
                  .sink = calibration.sink()},
                 {}, show)
          .statistics.row_count();
  if (rows != fitted.stored.statistics.row_count())
    throw InputError(
        fmt::format("the data named for a new calibration have {} rows, but the model was fitted to {}: name all of its data, in "
                    "the order in which they were fitted",
                    rows, fitted.stored.statistics.row_count()));
  model.calibration = calibration.calibrate(model, fitted.stored.rules, progress);
}

}  // namespace gapkit
