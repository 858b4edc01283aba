#include "fit/held_out.hpp"

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/frames.hpp>

namespace gapkit {

using Source = CalibrationOptions::Source;

namespace {

// A fit that only serves the calibration.
FitOptions options_of_round(const FitOptions& options, const std::vector<std::int64_t>& left_out) {
  FitOptions result = options;
  result.calibration.source = Source::none;
  result.left_out = left_out;
  result.keep_statistics = false;
  result.sparse_output.clear();
  result.checkpoint_path.clear();
  return result;
}

}  // namespace

FitOptions with_held_out(const FitOptions& options) {
  FitOptions result = options;
  result.keys.set_use(options.use_energy, options.use_forces, options.use_virial);
  if (options.calibration.source != Source::holdout || !options.left_out.empty()) return result;
  for (const TermOptions& term : options.terms)
    if (term.selection == "indices")
      throw InputError("term '" + term.name +
                       "': selection = \"indices\" counts the environments of all training structures, but [calibration] holdout sets some "
                       "aside; use selection = \"file\", or [calibration] source = \"none\"");
  result.left_out = choose_held_out(options.train, result.keys, options.calibration.holdout, 1, options.seed).front();
  return result;
}

bool is_left_out(const FitOptions& options, std::int64_t number) {
  return std::binary_search(options.left_out.begin(), options.left_out.end(), number);
}

void for_each_training_frame(const FitOptions& options, const std::function<void(const Structure&, std::int64_t, std::int64_t)>& visit) {
  TargetReport ignored;
  std::int64_t index = 0;
  for_each_frame(options.train, options.keys, &ignored, [&](const Structure& frame, std::int64_t number) {
    if (!is_left_out(options, number)) visit(frame, number, index++);
  });
}

void calibrate_fit(FittedModel& fitted, const FitOptions& options, const ProgressCallback& progress) {
  if (options.calibration.source == Source::none) return;
  const RowRules& rules = fitted.stored.rules;
  if (options.calibration.source == Source::validation) {
    fitted.model.calibration =
        calibrate_on_files(fitted.model, rules, options.validation, options.calibration.most_atoms, options.seed, progress);
    return;
  }
  if (options.left_out.empty()) {
    if (progress)
      progress(
          {.phase = "calibrate", .message = "too few structures to set some aside: the error bars stay uncalibrated", .is_warning = true});
    return;
  }
  const auto visit_frames = [&](const std::vector<std::int64_t>& numbers, const std::function<void(const Structure&)>& visit) {
    for_each_frame(options.train, options.keys, nullptr, [&](const Structure& frame, std::int64_t number) {
      if (std::binary_search(numbers.begin(), numbers.end(), number)) visit(frame);
    });
  };
  const CalibrationOptions& calibration = options.calibration;
  const auto rounds = choose_held_out(options.train, options.keys, calibration.holdout, calibration.rounds, options.seed);
  Calibrator calibrator(rules);
  double done = 0, total = 0;
  for (const auto& numbers : rounds) total += static_cast<double>(numbers.size());
  for (std::size_t round = 0; round < rounds.size(); ++round) {
    const std::vector<std::int64_t>& numbers = round == 0 ? options.left_out : rounds[round];
    if (numbers.empty()) continue;
    calibrator.use(std::make_shared<const Model>(round == 0 ? fitted.model : fit(options_of_round(options, numbers), progress).model));
    visit_frames(numbers, [&](const Structure& frame) {
      calibrator.add(frame);
      if (progress) progress({.phase = "calibrate", .done = ++done, .total = total, .unit = "structures"});
    });
  }
  const std::optional<Calibration> found = calibrator.calibration("holdout", progress);
  append_frames(
      fitted, [&](const auto& visit) { visit_frames(options.left_out, visit); }, progress);
  fitted.model.calibration = found;
}

}  // namespace gapkit
