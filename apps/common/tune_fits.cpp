#include "tune_fits.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/needed_properties.hpp>

namespace gapkit::apps {
namespace {

using Objective = OptimizeOptions::Objective;

constexpr int folds_of_trials = 5, steps_of_start = 40, steps_of_later = 16;  // of the search for σ
constexpr std::int64_t fewest_structures = 40;                                // of a part of the data
constexpr double largest_part_set_aside = 0.5;

/// Frames of single atoms without neighbours: left out of the others, their energy is an extrapolation that says nothing about a setting,
/// and it may be larger than the errors of all other frames together.
std::vector<std::int64_t> isolated_atoms(const Dataset& train, const DatasetSummary& summary, const FitConfiguration& options) {
  std::vector<std::int64_t> single, isolated;
  for (const DatasetSummary::Frame& frame : summary.frames)
    if (frame.atoms == 1) single.push_back(frame.number);
  if (single.empty()) return {};
  double cutoff = 0;
  for (const TermOptions& term : options.terms)
    if (term.descriptor_parameters.has("cutoff")) cutoff = std::max(cutoff, term.descriptor_parameters.real("cutoff"));
  DatasetView(train, single).visit([&](const Structure& frame, const FramePlace& place) {
    if (NeighborList(frame, cutoff).pair_count() == 0) isolated.push_back(place.number);
  });
  return isolated;
}

/// Numbers of the training frames without isolated atoms and those that the rounds of the calibration set aside.
std::vector<std::int64_t> frames_of_search(const Dataset& train, const FitConfiguration& options, int& rounds_used) {
  const DatasetSummary summary = train.summary();
  std::vector<std::int64_t> numbers;
  for (const DatasetSummary::Frame& frame : summary.frames) numbers.push_back(frame.number);
  const std::vector<std::int64_t> isolated = isolated_atoms(train, summary, options);
  std::erase_if(numbers, [&](std::int64_t n) { return std::binary_search(isolated.begin(), isolated.end(), n); });
  const CalibrationOptions& calibration = options.calibration;
  if (calibration.source != CalibrationOptions::Source::holdout) return numbers;
  const auto held_out = choose_held_out(train, calibration.holdout, calibration.rounds, options.seed);
  double part = 0;
  for (const std::vector<std::int64_t>& of_round : held_out) {
    part += calibration.holdout;
    if (part > largest_part_set_aside + 1e-9) {
      ++rounds_used;
      continue;
    }
    std::erase_if(numbers, [&](std::int64_t n) { return std::binary_search(of_round.begin(), of_round.end(), n); });
  }
  return numbers;
}

/// Whether a trial may have a learned metric.
bool any_learned(const FitConfiguration& start, const std::vector<Knob>& knobs) {
  return std::any_of(start.terms.begin(), start.terms.end(), is_learned) ||
         std::any_of(knobs.begin(), knobs.end(), [](const Knob& knob) { return knob.kind().key == "compression"; });
}

}  // namespace

FitConfiguration settings_in(const std::string& toml, const std::vector<ConfigurationOverride>& overrides) {
  DataFiles none;
  none.train_in_memory = none.validation_in_memory = true;
  return parse_fit_options(toml, "the configuration of the search", std::filesystem::current_path(), none, overrides);
}

TuneFits::TuneFits(const Dataset& train, FitConfiguration start, const std::map<int, double>& reference_energies, std::vector<Knob> knobs,
                   bool keeps_sigma)
    : train_(train),
      start_(std::move(start)),
      toml_(fit_options_to_toml(start_)),
      knobs_(std::move(knobs)),
      keeps_sigma_(keeps_sigma),
      may_learn_metric_(any_learned(start_, knobs_)),
      numbers_(frames_of_search(train, start_, rounds_used_)) {
  for (const auto& [z, energy] : reference_energies) reference_energies_[element_symbol(z)] = energy;
}

DatasetView TuneFits::view(double fraction) const {
  if (fraction >= 1) return {train_, numbers_};
  const DatasetView all(train_, numbers_);
  const auto left_out = choose_held_out(all, 1 - fraction, 1, start_.seed + 1);  // a part of each config type
  std::vector<std::int64_t> numbers = numbers_;
  std::erase_if(numbers, [&](std::int64_t n) { return std::binary_search(left_out.front().begin(), left_out.front().end(), n); });
  return {train_, std::move(numbers)};
}

FitConfiguration TuneFits::options(const TuneLevel& level, const std::vector<double>& values) const {
  FitConfiguration options = settings_in(toml_, overrides_of(knobs_, values));
  if (options.reference_energies.mode == ReferenceEnergyOptions::Mode::isolated)
    options.reference_energies = {ReferenceEnergyOptions::Mode::explicit_values, reference_energies_};
  scale_points(options, level.points * points_factor(knobs_, values));
  keep_needed_properties(options);  // others do not change the energies
  OptimizeOptions& optimize = options.optimize;
  if (optimize.objective == Objective::none && !keeps_sigma_) {
    optimize.objective = Objective::cross_validation;
    optimize.sigma = true;
    optimize.delta = false;
  }
  if (optimize.folds == 0) optimize.folds = folds_of_trials;
  optimize.leaves_out_unlearned = may_learn_metric_;
  return options;
}

double TuneFits::seconds_at(const TuneLevel& level) const {
  std::vector<double> values;
  for (const Knob& knob : knobs_) values.push_back(knob.start());
  FitConfiguration planned = options(level, values);
  planned.calibration.source = CalibrationOptions::Source::none;
  const DatasetView part = view(level.fraction);
  return plan_fit(FitData{part}, planned).seconds;
}

std::vector<TuneLevel> TuneFits::choose_levels(double few, double most, double factor) const {
  const double part_of_search = static_cast<double>(numbers_.size()) / static_cast<double>(train_.summary().frames.size());
  std::vector<TuneLevel> possible;
  std::optional<std::size_t> first, last;
  for (double fraction = 1; !first; fraction /= 2) {
    possible.push_back({fraction, std::sqrt(fraction * part_of_search)});
    const double seconds = factor * seconds_at(possible.back());
    const bool is_smallest = fraction / 2 * static_cast<double>(numbers_.size()) < static_cast<double>(fewest_structures);
    if (!last && (seconds <= most || is_smallest)) last = possible.size() - 1;
    if (seconds <= few || is_smallest) first = possible.size() - 1;
  }
  std::vector<TuneLevel> levels = {possible[*first]};
  if (*first > *last + 1) levels.push_back(possible[(*first + *last) / 2]);
  if (*first > *last) levels.push_back(possible[*last]);
  return levels;
}

void TuneFits::set_levels(const std::vector<TuneLevel>& levels) {
  levels_ = levels;
  for (const TuneLevel& level : levels) views_.push_back(view(level.fraction));
}

Trial TuneFits::plan(std::size_t level, const std::vector<double>& values) const {
  Trial trial;
  trial.level = level;
  trial.values = values;
  trial.structures = static_cast<std::int64_t>(views_[level].numbers().size());
  try {
    FitConfiguration planned = options(levels_[level], values);
    planned.calibration.source = CalibrationOptions::Source::none;
    const FitPlan plan = plan_fit(FitData{views_[level]}, planned);
    trial.points = plan.sparse_points();
    trial.flop = plan.flop;
    trial.estimated = plan.seconds;
  } catch (const InputError& e) {
    trial.failure = e.what();
  }
  return trial;
}

void TuneFits::fit(Trial& trial, const Trial* warm, const ProgressCallback& progress) const {
  FitConfiguration fitted = options(levels_[trial.level], trial.values);
  fitted.calibration.source = CalibrationOptions::Source::none;
  OptimizeOptions& optimize = fitted.optimize;
  if (warm) optimize.start = warm->factors;
  optimize.max_evaluations = std::min(optimize.max_evaluations, warm ? steps_of_later : steps_of_start);
  try {
    const FitResult result = gapkit::fit(FitData{views_[trial.level]}, fitted, {.progress = progress});
    const OptimizationReport& report = result.report.optimization.value();
    trial.log_evidence = result.report.log_evidence;
    trial.factors = report.factors;
    const SufficientStatistics& statistics = result.statistics->statistics;
    std::vector<double> sigma;  // of each group of each fold
    for (const GroupStatistics& g : statistics.groups)
      for (std::size_t i = 0; i < report.groups.size(); ++i)
        if (report.groups[i].same_noise(g.group)) sigma.push_back(report.after.sigma[i]);
    // If only the ratios of δ stay, a common factor changed δ too: σ for δ as configured.
    const double common = optimize.delta ? 1 : report.after.delta_ratio.front();
    for (std::size_t i = 0; i < report.groups.size(); ++i)
      if (const RowGroup& g = report.groups[i]; !g.fixed && report.rows[i] > 0)
        trial.sigma.push_back({g.property, g.config_class, report.after.sigma[i] / common});
    CrossValidation folds(statistics, sparse_offsets(result.model.terms), optimize.weights);
    const CrossValidation::Value value = folds.compute(sigma, report.after.delta_ratio, false);
    for (const TargetInfo& target : targets())
      for (std::size_t f = 0; f < value.fold_rows.size(); ++f) {
        trial.square[target.property].push_back(value.fold_square[f][target.property]);
        trial.rows[target.property].push_back(value.fold_rows[f][target.property]);
      }
  } catch (const InputError& e) {
    trial.failure = e.what();
  } catch (const NumericalError& e) {
    trial.failure = e.what();
  }
}

FitConfiguration TuneFits::final_options(const Trial& trial) const {
  FitConfiguration chosen = options({}, trial.values);
  FitConfiguration result = start_;  // with its files, calibration and outputs
  result.terms = chosen.terms;
  result.optimize = chosen.optimize;
  result.optimize.leaves_out_unlearned = false;
  for (const FoundSigma& found : trial.sigma) {
    SigmaOptions* sigma = &result.regularization.standard;
    if (found.config_class != "default") {
      const auto own = result.regularization.config_type.find(found.config_class);
      if (own == result.regularization.config_type.end()) continue;  // of [optimize] classes: they start from the common one
      sigma = &own->second;
    }
    (*sigma)[found.property] = found.sigma;
  }
  return result;
}

}  // namespace gapkit::apps
