#include "fit/held_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
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

/// Progress of a round's fit: phases say which round it is; remarks that the first fit has made on the same data are left out.
ProgressCallback progress_of_round(const ProgressCallback& progress, std::size_t round, std::size_t rounds) {
  if (!progress) return progress;
  return [&progress, prefix = fmt::format("calibration round {} of {}: ", round + 1, rounds)](const ProgressEvent& event) {
    if (!event.message.empty() && (!event.is_warning || event.phase == "optimize")) return;
    ProgressEvent shown = event;
    shown.phase = prefix + event.phase;
    progress(shown);
  };
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
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

void calibrate_fit(FittedModel& fitted, const FitOptions& options, const RoundTimes& times, const ProgressCallback& progress) {
  if (options.calibration.source == Source::none) return;
  const RowRules& rules = fitted.stored.rules;
  if (options.calibration.source == Source::validation) {
    fitted.model.calibration = calibrate_on_files(fitted.model, rules, options.validation, options.calibration, options.seed, progress);
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
  Calibrator calibrator(rules, options.calibration.fewest_structures);
  const auto begin = std::chrono::steady_clock::now();
  double longest = times.expected;
  for (std::size_t round = 0; round < rounds.size(); ++round) {
    const std::vector<std::int64_t>& numbers = round == 0 ? options.left_out : rounds[round];
    if (numbers.empty()) continue;
    if (round > 0 && times.elapsed + seconds_since(begin) + longest > calibration.seconds) {
      if (progress)
        progress({.phase = "calibrate", .message = fmt::format("calibration: {} of {} rounds, as the time allows", round, rounds.size())});
      break;
    }
    const auto round_begin = std::chrono::steady_clock::now();
    const ProgressCallback shown = progress_of_round(progress, round, rounds.size());
    calibrator.use(std::make_shared<const Model>(round == 0 ? fitted.model : fit(options_of_round(options, numbers), shown).model));
    double done = 0;
    visit_frames(numbers, [&](const Structure& frame) {
      calibrator.add(frame);
      if (shown) shown({.phase = "error bars", .done = ++done, .total = static_cast<double>(numbers.size()), .unit = "structures"});
    });
    if (round > 0) longest = round == 1 ? seconds_since(round_begin) : std::max(longest, seconds_since(round_begin));
  }
  const std::optional<Calibration> found = calibrator.calibration("holdout", progress);
  append_frames(
      fitted, [&](const auto& visit) { visit_frames(options.left_out, visit); }, progress);
  fitted.model.calibration = found;
}

}  // namespace gapkit
