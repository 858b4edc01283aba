#include "fit/held_out.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/phase_clock.hpp>
#include <gapkit/fit/calibrate.hpp>

#include "fit/append_frames.hpp"

namespace gapkit {

using Source = CalibrationOptions::Source;

namespace {

/// Progress of a round: phases name the round; messages on the data, which the first fit has given, are left out.
ProgressCallback progress_of_round(const ProgressCallback& progress, std::size_t round, std::size_t rounds) {
  if (!progress) return progress;
  return [&progress, prefix = fmt::format("calibration round {} of {}: ", round + 1, rounds)](const ProgressEvent& event) {
    if (!event.message.empty() && (!event.is_warning || event.phase == "optimize")) return;
    ProgressEvent shown = event;
    shown.phase = prefix + event.phase;
    progress(shown);
  };
}

}  // namespace

std::vector<std::vector<std::int64_t>> held_out_of_rounds(const Dataset& train, const FitOptions& options) {
  const CalibrationOptions& calibration = options.calibration;
  if (calibration.source != Source::holdout) return {};
  for (const TermOptions& term : options.terms)
    if (term.selection == "indices")
      throw InputError("term '" + term.name +
                       "': selection = \"indices\" counts the environments of all training structures, but [calibration] holdout sets some "
                       "aside; use selection = \"file\", or [calibration] source = \"none\"");
  return choose_held_out(train, calibration.holdout, calibration.rounds, options.seed);
}

std::vector<std::int64_t> held_out_of_fit(const Dataset& train, const FitOptions& options) {
  const auto rounds = held_out_of_rounds(train, options);
  return rounds.empty() ? std::vector<std::int64_t>() : rounds.front();
}

void calibrate_fit(FittedModel& fitted, const FitData& data, const FitOptions& options, const CalibrationRounds& rounds,
                   const ProgressCallback& progress) {
  const CalibrationOptions& calibration = options.calibration;
  if (calibration.source == Source::none) return;
  const RowRules& rules = fitted.stored.rules;
  if (calibration.source == Source::validation) {
    if (!data.validation) throw InputError("the calibration needs validation data, but there are none");
    fitted.model.calibration = calibrate_on(*data.validation, fitted.model, rules, calibration, options.seed, progress);
    return;
  }
  const auto& held_out = rounds.held_out;
  if (held_out.empty() || held_out.front().empty()) {
    if (progress)
      progress(
          {.phase = "calibrate", .message = "too few structures to set some aside: the error bars stay uncalibrated", .is_warning = true});
    return;
  }
  Calibrator calibrator(rules, calibration.fewest_structures);
  const Stopwatch all_rounds;
  double longest = rounds.expected;
  for (std::size_t round = 0; round < held_out.size(); ++round) {
    if (held_out[round].empty()) continue;
    if (round > 0 && rounds.elapsed + all_rounds.seconds() + longest > calibration.seconds) {
      if (progress)
        progress(
            {.phase = "calibrate", .message = fmt::format("calibration: {} of {} rounds, as the time allows", round, held_out.size())});
      break;
    }
    const Stopwatch this_round;
    const ProgressCallback shown = progress_of_round(progress, round, held_out.size());
    calibrator.use(
        std::make_shared<const Model>(round == 0 ? fitted.model : rounds.fit(DatasetView::without(data.train, held_out[round]), shown)));
    double done = 0;
    DatasetView(data.train, held_out[round]).visit([&](const Structure& frame, const FramePlace&) {
      calibrator.add(frame);
      if (shown) shown({.phase = "error bars", .done = ++done, .total = static_cast<double>(held_out[round].size()), .unit = "structures"});
    });
    if (round > 0) longest = round == 1 ? this_round.seconds() : std::max(longest, this_round.seconds());
  }
  const std::optional<Calibration> found = calibrator.calibration("holdout", progress);
  append_frames(fitted, DatasetView(data.train, held_out.front()), {.is_set_aside = true}, progress);
  fitted.model.calibration = found;
}

}  // namespace gapkit
