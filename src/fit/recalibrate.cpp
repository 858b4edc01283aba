#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/model/feature_map_file.hpp>

#include "fit/accumulate.hpp"
#include "fit/fingerprint_parts.hpp"
#include "fit/left_out_calibration.hpp"

namespace gapkit {
namespace {

/// Compares frames with the fingerprint of a model: the parts of the fit and of every append, one after the other.
class SameFrames {
 public:
  explicit SameFrames(const std::string& fingerprint) : parts_(parts_of_fingerprint(fingerprint)) {}
  void add(const Structure& frame) {
    add_frame(running_, frame);
    is_complete_ = found_ < parts_.size() && std::to_string(running_.value()) == parts_[found_];
    if (!is_complete_) return;
    ++found_;
    running_ = Checksum();
  }
  /// Whether all frames came, and no others, in their order.
  bool are_all() const { return is_complete_ && found_ == parts_.size(); }

 private:
  std::vector<std::string> parts_;
  std::size_t found_ = 0;
  Checksum running_;
  bool is_complete_ = false;
};

}  // namespace

bool is_cautious(const Model& model) {
  return model.calibration && std::any_of(model.calibration->factors.begin(), model.calibration->factors.end(),
                                          [](const CalibrationFactors& f) { return f.part == EpistemicPart::cautious; });
}

void recalibrate(FittedModel& fitted, const Dataset& data, const RecalibrationOptions& how, const ProgressCallback& progress) {
  Model& model = fitted.model;
  FitOptions options;
  options.use = fitted.stored.rules.use;
  options.seed = model.seed;
  options.calibration.cautious = how.cautious;
  options.memory = how.memory;
  const Eigen::Index points = model.factor.size();
  LeftOutCalibration calibration(data, options, points, options.memory * 1e9 - left_out_bytes(options, points),
                                 frames_behind_maps(model.terms));
  const Regularization regularization(fitted.stored.rules);
  const auto show = [&](double atoms) {
    if (progress) progress({.phase = "calibrate", .done = atoms, .unit = "atoms"});
  };
  SameFrames same(model.data_fingerprint);
  const std::int64_t rows = accumulate(data,
                                       {.model = model,
                                        .regularization = regularization,
                                        .folds = FoldAssigner({}, {}, 0),
                                        .fingerprint = fitted.stored.statistics.fingerprint,
                                        .watch =
                                            [&](const Structure& frame, const FramePlace& place) {
                                              calibration.watch(frame, place.number);
                                              same.add(frame);
                                            },
                                        .sink = calibration.sink()},
                                       {}, show)
                                .statistics.row_count();
  if (rows != fitted.stored.statistics.row_count())
    throw InputError(
        fmt::format("the data named for a new calibration have {} rows, but the model was fitted to {}: name all of its data, in "
                    "the order in which they were fitted",
                    rows, fitted.stored.statistics.row_count()));
  // Sparse points know the numbers of their frames, so the order counts.
  if (!same.are_all())
    throw InputError(
        "the data named for a new calibration are not those that the model was fitted to, or have another order: name all of its data, in "
        "the order in which they were fitted");
  model.calibration = calibration.calibrate(model, fitted.stored.rules, progress);
}

}  // namespace gapkit
