#include "tune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/config/whole_fit.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>

#include "interruption.hpp"
#include "text_file.hpp"
#include "tune_fits.hpp"
#include "tune_report.hpp"
#include "tune_search.hpp"
#include "words.hpp"

namespace gapkit::apps {
namespace {

constexpr double first_factor = 1.5;  // of estimated times, before a trial has been measured
constexpr double trials_of_first_level = 40, trials_of_last_level = 8;
constexpr double overrun = 1.3;  // of the estimated time, after which a trial is stopped if the time is over

/// A trial took longer than estimated, and the time of the search is over.
class OutOfTime : public Interrupted {
 public:
  using Interrupted::Interrupted;
};

/// Checksum of everything that the trials depend on. The numbers of sparse points of an automatic start depend on the speed of the machine:
/// they are left out, and the plan of the search has them.
std::string key_of(const TuneRequest& request) {
  FitConfiguration options = request.start;
  if (request.is_automatic)
    for (TermOptions& term : options.terms) {
      term.n_sparse = 1;
      term.species_n_sparse.clear();
    }
  options.train.clear();
  options.validation.clear();
  Checksum sum;
  sum.add(version);
  sum.add(fit_options_to_toml(options));
  for (const std::string& kept : request.kept) sum.add(kept);
  request.files.train.visit([&](const Structure& s, const FramePlace&) { add_frame(sum, s); });
  return std::to_string(sum.value());
}

double median(std::vector<double> values, double otherwise) {
  if (values.empty()) return otherwise;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Errors of virials do not rank the trials of data with energies or forces: their labels are less converged, and sometimes permuted.
/// Energies do, also where their σ follows that of the forces (weight 0).
PerTarget<double> weights_of_ranking(const FitConfiguration& options) {
  PerTarget<double> weights = options.optimize.weights;
  for (const TargetInfo& target : targets())
    if (weights[target.property] == 0) weights[target.property] = 1;
  const auto is_virial = [](const TargetInfo& target) { return target.functional == Functional::minus_strain_derivative; };
  if (std::any_of(targets().begin(), targets().end(), [&](const TargetInfo& t) { return !is_virial(t) && options.use[t.property]; }))
    for (const TargetInfo& target : targets())
      if (is_virial(target)) weights[target.property] = 0;
  return weights;
}

/// The search with its clock.
class Tuner {
 public:
  Tuner(const TuneRequest& request, ProgressDisplay& display)
      : request_(request),
        display_(display),
        file_(tune_results_path(request.start.model_path), key_of(request)),
        judge_(weights_of_ranking(request.start)) {}

  TuneResult run() {
    const FitConfiguration start = start_of_search();
    std::vector<Knob> knobs = knobs_of(start, request_.kept);
    if (knobs.empty()) throw InputError("--tune: no term has a setting that the search may change (--keep)");
    plan(start, std::move(knobs));
    TuneSearch search(fits_->knobs(), file_.plan()->levels.size(), judge_,
                      [&](std::size_t level, const std::vector<double>& values, double share) { return attempt(level, values, share); });
    const Trial* chosen = search.run();
    display_.finish();
    if (!chosen) throw InputError("--tune: the fit with the settings of the start fails: " + first_failure());
    if (!is_finished()) file_.set_finished(request_.seconds, search.end());
    return result(search, *chosen);
  }

 private:
  FitConfiguration start_of_search() const {
    if (!file_.plan()) return request_.start;
    FitConfiguration start = settings_in(file_.plan()->start);
    start.train = request_.start.train;
    start.validation = request_.start.validation;
    start.model_path = request_.start.model_path;
    start.keep_statistics = request_.start.keep_statistics;
    start.sparse_output = request_.start.sparse_output;
    start.memory = request_.start.memory;
    start.checkpoint_path = request_.start.checkpoint_path;
    start.checkpoint_interval = request_.start.checkpoint_interval;
    return start;
  }

  /// Chooses the sizes of trials, or takes them from the file.
  void plan(const FitConfiguration& start, std::vector<Knob> knobs) {
    FitConfiguration all = start;
    all.calibration.source = CalibrationOptions::Source::none;
    const FitPlan plan = plan_fit(request_.files.data(), all, display_.callback());
    display_.finish();
    seconds_of_last_ = whole_fit_seconds(start, plan);
    const double last = last_fit_seconds();
    if (last > request_.seconds)
      throw InputError(
          fmt::format("--tune {}: the fit of all data with the settings of the start is estimated to take {} on its own; allow at "
                      "least three times as much, or reduce n_sparse",
                      duration(request_.seconds), duration(last)));
    const bool keeps_sigma = std::find(request_.kept.begin(), request_.kept.end(), "sigma") != request_.kept.end();
    fits_.emplace(request_.files.train, start, plan.reference_energies, std::move(knobs), keeps_sigma);
    if (!file_.plan()) {
      const double left = std::max(1.0, request_.seconds - last - spent());
      file_.set_plan({.start = fit_options_to_toml(start),
                      .levels = fits_->choose_levels(left / trials_of_first_level, left / trials_of_last_level, first_factor),
                      .final_seconds = last});
    }
    fits_->set_levels(file_.plan()->levels);
    file_.read_trials(fits_->knobs());
    for (const Trial& trial : file_.trials()) before_ = std::max(before_, trial.spent);
    say_plan();
  }

  void say_plan() {
    std::string names, sizes;
    for (const Knob& knob : fits_->knobs()) names += (names.empty() ? "" : ", ") + knob.key();
    for (const TuneLevel& level : file_.plan()->levels) sizes += fmt::format("{}{:.0f} %", sizes.empty() ? "" : ", ", 100 * level.fraction);
    display_.message(fmt::format("search for {}, in {}: {} estimated for the last fit", names, duration(request_.seconds),
                                 duration(last_fit_seconds())));
    display_.message(fmt::format("trials on {} of {} structures, from coarse to fine: {} of them{}", fits_->structures(),
                                 request_.files.train.summary().frames.size(), sizes,
                                 fits_->structures() < static_cast<std::int64_t>(request_.files.train.summary().frames.size())
                                     ? "; isolated atoms and those that the calibration sets aside are not used"
                                     : ""));
    if (fits_->may_learn_metric())
      display_.message("folds of all trials leave out the half of the structures that a learned metric does not learn from");
    if (fits_->rounds_used() > 0)
      display_.message(
          fmt::format("the search uses the structures that the last {} of the calibration set aside: less than half of the data "
                      "would be left",
                      plural(fits_->rounds_used(), "round")));
    if (!file_.trials().empty())
      display_.message(fmt::format("{}: {} of an earlier run, {}", file_.path(),
                                   plural(static_cast<std::int64_t>(file_.trials().size()), "trial"), duration(before_)));
  }

  double spent() const { return before_ + request_.stopwatch.seconds(); }
  bool is_finished() const { return file_.finished() && *file_.finished() >= request_.seconds; }

  /// Measured over estimated time of the trials of a level, else of all trials.
  double time_factor(std::optional<std::size_t> level) const {
    std::vector<double> of_level, of_all;
    for (const Trial& trial : file_.trials()) {
      if (!trial.is_good()) continue;
      of_all.push_back(trial.seconds / trial.estimated);
      if (trial.level == level) of_level.push_back(of_all.back());
    }
    return median(of_level, median(of_all, first_factor));
  }

  /// s, of the last fit: of all data, with the settings of the start or others whose fit has `flop_ratio` times its flop.
  double last_fit_seconds(double flop_ratio = 1) const {
    const CalibrationOptions& calibration = request_.start.calibration;
    const int rounds = calibration.source == CalibrationOptions::Source::holdout ? calibration.rounds : 1;
    const double factor = flop_ratio * (file_.trials().empty() ? 1.0 : std::clamp(time_factor(file_.plan()->levels.size() - 1), 1.0, 2.0));
    return factor * seconds_of_last_.of_rounds(rounds);
  }

  /// The same with the settings of a trial.
  double last_fit_seconds(const Trial& trial) const {
    const Trial* start = file_.find(trial.level, starting_values());
    return last_fit_seconds(start && start->flop > 0 ? trial.flop / start->flop : 1.0);
  }

  /// Time of the search at which a trial must have ended.
  double limit(double share, double reserved) const {
    for (const Trial* best : best_) reserved = std::max(reserved, last_fit_seconds(*best));
    return std::min(share * (request_.seconds - last_fit_seconds()), request_.seconds - reserved);
  }

  std::vector<double> starting_values() const {
    std::vector<double> values;
    for (const Knob& knob : fits_->knobs()) values.push_back(knob.start());
    return values;
  }

  const Trial* attempt(std::size_t level, const std::vector<double>& values, double share) {
    if (const Trial* known = file_.find(level, values)) return noted(*known);
    const bool is_first = best_.empty();
    if (is_finished() || (!is_first && spent() >= limit(share, 0))) {
      ++untried_;
      return nullptr;
    }
    const Stopwatch stopwatch;
    Trial trial = fits_->plan(level, values);
    if (trial.is_good()) {
      const double expected = time_factor(level) * trial.estimated, end = limit(share, last_fit_seconds(trial));
      if (!is_first && spent() + expected > end) {
        leave_out(trial, fmt::format("{:.1f} s estimated, {:.1f} s left", expected, std::max(0.0, end - spent())));
        return nullptr;
      }
      if (!fit(trial, {expected, end, is_first})) return nullptr;
    }
    trial.seconds = stopwatch.seconds();
    trial.spent = spent();
    const Trial& added = file_.add(std::move(trial));
    say(added);
    return noted(added);
  }

  struct TimeOfTrial {
    double expected, limit;  // s; of the trial, of the search
    bool is_first;
  };

  /// False if the time of the search is over before the trial.
  bool fit(Trial& trial, const TimeOfTrial& time) {
    const Stopwatch stopwatch;
    const std::string phase = fmt::format("trial {}", file_.trials().size() + 1);
    const auto show = interruptible([&](const ProgressEvent&) {
      const double seconds = stopwatch.seconds();
      if (!time.is_first && seconds > overrun * time.expected && spent() > time.limit) throw OutOfTime("the time of the search is over");
      display_.show({.phase = phase, .done = std::min(seconds, time.expected), .total = time.expected, .unit = "s"});
    });
    try {
      fits_->fit(trial, best_of(trial.level), show);
      return true;
    } catch (const OutOfTime&) {
      leave_out(trial, fmt::format("stopped after {:.1f} s, {:.1f} s estimated: the time is over", stopwatch.seconds(), time.expected));
      return false;
    } catch (const Interrupted& e) {
      display_.finish();
      throw Interrupted(fmt::format("{}; the same command continues: {} are in {}", e.what(),
                                    plural(static_cast<std::int64_t>(file_.trials().size()), "trial"), file_.path()));
    }
  }

  void leave_out(const Trial& trial, const std::string& reason) {
    left_out_.push_back(fmt::format("level {}, {}: {}", trial.level + 1, settings_text(fits_->knobs(), trial.values), reason));
    display_.message("left out: " + left_out_.back());
  }

  /// Keeps the best trial of each level, whose σ the next search for σ starts from.
  const Trial* noted(const Trial& trial) {
    if (!trial.is_good()) return &trial;
    const Trial* best = best_of(trial.level);
    if (!best)
      best_.push_back(&trial);
    else if (judge_.score(trial) < judge_.score(*best))
      *std::find(best_.begin(), best_.end(), best) = &trial;
    return &trial;
  }

  const Trial* best_of(std::size_t level) const {
    for (const Trial* best : best_)
      if (best->level == level) return best;
    return nullptr;
  }

  void say(const Trial& trial) {
    display_.finish();
    const std::string name =
        fmt::format("trial {}, level {} of {} ({} structures, {} points), {}", file_.trials().size(), trial.level + 1,
                    file_.plan()->levels.size(), trial.structures, trial.points, settings_text(fits_->knobs(), trial.values));
    if (!trial.is_good()) {
      display_.message(fmt::format("{}: cannot be: {}", name, trial.failure));
      return;
    }
    std::string compared;
    if (const Trial* best = best_of(trial.level)) compared = fmt::format(", {:+.1f} % against the best", 100 * judge_.change(trial, *best));
    display_.message(fmt::format("{}: {}{}; {:.1f} s, {:.0f} of {:.0f} s", name, fold_errors_text(trial), compared, trial.seconds,
                                 trial.spent, request_.seconds));
  }

  std::string first_failure() const {
    for (const Trial& trial : file_.trials())
      if (!trial.is_good()) return trial.failure;
    return "the time was over";
  }

  TuneResult result(const TuneSearch& search, const Trial& chosen) {
    TuneResult result{.options = fits_->final_options(chosen),
                      .text = {},
                      .json = {},
                      .page = tune_page_path(request_.start.model_path),
                      .seconds_before = before_};
    const Trial* start = nullptr;
    for (std::size_t level = chosen.level + 1; !start && level-- > 0;) start = file_.find(level, starting_values());
    if (untried_ > 0) left_out_.push_back(plural(untried_, "further trial") + ": no time left");
    const TuneSummary summary{.knobs = fits_->knobs(),
                              .file = file_,
                              .judge = judge_,
                              .start = *start,
                              .chosen = chosen,
                              .path = search.path(),
                              .left_out = left_out_,
                              .model = request_.start.model_path,
                              .end = file_.end(),
                              .allowed = request_.seconds,
                              .spent = spent(),
                              .last_fit = last_fit_seconds(chosen)};
    result.text = tune_text(summary);
    result.json = tune_json(summary);
    write_text_file(result.page, tune_page(summary));
    return result;
  }

  const TuneRequest& request_;
  ProgressDisplay& display_;
  TrialFile file_;
  TrialJudge judge_;
  std::optional<TuneFits> fits_;
  WholeFitSeconds seconds_of_last_;
  double before_ = 0;               // s, of the trials of earlier runs
  std::vector<const Trial*> best_;  // of each level
  std::vector<std::string> left_out_;
  std::int64_t untried_ = 0;  // trials without a plan, as the time was over
};

}  // namespace

std::string tune_results_path(const std::string& model_path) {
  return TrialFile::path_of(model_path);
}

std::string tune_page_path(const std::string& model_path) {
  return model_path + ".tune.html";
}

TuneResult tune(const TuneRequest& request, ProgressDisplay& display) {
  catch_signals();
  return Tuner(request, display).run();
}

}  // namespace gapkit::apps
