#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/fit/cross_validation.hpp>
#include <gapkit/fit/long_range_gain.hpp>
#include <gapkit/model/feature_map_file.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <gapkit/predict/predictor.hpp>
#include <numbers>

#include "fit/folds.hpp"
#include "fit/frame_sample.hpp"
#include "fit/sample_options.hpp"

namespace gapkit {
namespace {

constexpr int most_folds = 5;
constexpr std::size_t fewest_structures = 10;
constexpr std::size_t one_odd_of = 50;   // structures is left aside
constexpr double neutral_within = 1e-3;  // e

/// Of one structure that was left out; NaN without labels.
struct StructureErrors {
  std::string place;
  double energy = NAN;  // eV per atom
  double force = NAN;   // root mean square, eV/Å
  std::int64_t force_rows = 0;
};

/// Root mean square errors of the same structures with and without the long range, without those few on which either errs most: single
/// structures unlike all others make most of the squares, and say nothing about the long range.
struct ComparedErrors {
  double with = NAN, without = NAN;
  OddStructure worst = {};
  std::int64_t left_aside = 0;
};

ComparedErrors compare(const std::vector<StructureErrors>& with, const std::vector<StructureErrors>& without,
                       double StructureErrors::*member) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < with.size(); ++i)
    if (!std::isnan(with[i].*member)) order.push_back(i);
  ComparedErrors result;
  if (order.size() < fewest_structures) return result;
  const auto larger = [&](std::size_t i) { return std::max(std::abs(with[i].*member), std::abs(without[i].*member)); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return larger(a) > larger(b); });
  const std::size_t first = std::max<std::size_t>(1, order.size() / one_odd_of);
  const std::size_t worst = order.front();
  result.worst = {with[worst].place, std::abs(with[worst].*member), std::abs(without[worst].*member)};
  result.left_aside = static_cast<std::int64_t>(first);
  double rows = 0, square = 0, square_without = 0;
  for (std::size_t k = first; k < order.size(); ++k) {
    const StructureErrors &a = with[order[k]], &b = without[order[k]];
    const double weight = member == &StructureErrors::force ? static_cast<double>(a.force_rows) : 1;
    rows += weight;
    square += weight * a.*member * a.*member;
    square_without += weight * b.*member * b.*member;
  }
  result.with = std::sqrt(square / rows);
  result.without = std::sqrt(square_without / rows);
  return result;
}

void compare_errors(const std::vector<StructureErrors>& with, const std::vector<StructureErrors>& without, LongRangeGain& gain) {
  const ComparedErrors energy = compare(with, without, &StructureErrors::energy), force = compare(with, without, &StructureErrors::force);
  gain.with = {energy.with, force.with};
  gain.without = {energy.without, force.without};
  gain.worst_energy = energy.worst;
  gain.worst_force = force.worst;
  gain.left_aside = std::max(energy.left_aside, force.left_aside);
  gain.left_out = static_cast<std::int64_t>(with.size());
}

FitOptions options_of_gain(const FitOptions& given, const std::map<int, double>& reference_energies) {
  FitOptions options = options_of_sample(given);
  options.optimize.fold = given.optimize.fold.starts_with("key:") ? given.optimize.fold : "random";
  // Isolated atoms may not be in the sample.
  if (options.reference_energies.mode == ReferenceEnergyOptions::Mode::isolated) {
    options.reference_energies = {.mode = ReferenceEnergyOptions::Mode::explicit_values, .values = {}};
    for (const auto& [z, energy] : reference_energies) options.reference_energies.values[element_symbol(z)] = energy;
  }
  return options;
}

/// A fit to the sample with statistics in folds.
struct SampleFit {
  Model model;
  StoredStatistics stored;
  SufficientStatistics merged = {};  // the folds together
  HyperparameterState state = {};

  double evidence_at(const HyperparameterState& other) const {
    return solve_posterior(merged, model.factor, other.delta_ratio, &other.sigma).log_evidence;
  }

  /// The model without the labels of one fold.
  Model without_fold(int fold) const {
    std::vector<double> sigma;
    for (const GroupStatistics& g : stored.statistics.groups)
      for (std::size_t i = 0; i < merged.groups.size(); ++i)
        if (merged.groups[i].group.same_noise(g.group))
          sigma.push_back(g.group.fold == fold ? std::numeric_limits<double>::infinity() : state.sigma[i]);
    Model result = model;
    result.posterior = solve_posterior(stored.statistics, model.factor, state.delta_ratio, &sigma);
    result.weights = kernel_weights(model.factor, result.posterior);
    return result;
  }
};

/// Fits to the sample.
class SampleFits {
 public:
  SampleFits(const Dataset& data, const std::vector<std::int64_t>& sample, FitOptions options, OptimizeOptions search,
             const ProgressCallback& progress)
      : options_(std::move(options)), search_(std::move(search)), sample_(data, sample), progress_(progress) {
    choose_folds();
  }

  int folds() const { return options_.optimize.folds; }

  /// The fit with these potentials, at the σ and δ of the options.
  SampleFit fit_with(std::vector<PotentialPointer> baselines) const {
    FitOptions options = options_;
    options.baselines = std::move(baselines);
    FitResult result = fit({sample_}, options, {.progress = progress_});
    SampleFit made{.model = std::move(result.model), .stored = std::move(*result.statistics)};
    made.merged = made.stored.statistics.without_folds();
    return made;
  }

  /// Takes the σ and δ with the largest evidence.
  void improve(SampleFit& of) const {
    of.state = optimize(of.stored, of.model.terms, std::vector<double>(of.model.terms.size(), 1.0), search_, progress_).after;
  }

  /// Each structure predicted by the fit without its fold; those that are never left out are not in the result.
  std::vector<StructureErrors> left_out_errors(const SampleFit& of) const {
    const std::vector<int> folds = folds_of(of.model);
    std::vector<StructureErrors> errors;
    for (int fold = 0; fold < options_.optimize.folds; ++fold) {
      if (std::count(folds.begin(), folds.end(), fold) == 0) continue;
      Predictor predictor(std::make_shared<const Model>(of.without_fold(fold)));
      std::size_t index = 0;
      sample_.visit([&](const Structure& s, const FramePlace&) {
        if (folds[index++] == fold) errors.push_back(errors_of(s, predictor.compute(s)));
      });
    }
    return errors;
  }

  std::int64_t charged_cells() const {
    std::int64_t count = 0;
    sample_.visit([&](const Structure& s, const FramePlace&) {
      const bool is_periodic = s.cell && (s.pbc[0] || s.pbc[1] || s.pbc[2]);
      if (is_periodic && std::abs(charge_of(s)) > neutral_within) ++count;
    });
    return count;
  }

 private:
  /// As many as the memory allows.
  void choose_folds() {
    const double memory = options_.memory * 1e9;
    options_.memory = 1e6;  // the limit is checked here
    for (const int folds : {most_folds, 3, 2}) {
      options_.optimize.folds = folds;
      if (plan_fit({sample_}, options_).peak_bytes(memory) <= memory) break;
    }
  }

  /// Fold of each structure, in the order of the sample.
  std::vector<int> folds_of(const Model& model) const {
    FoldAssigner assigner(options_.optimize, sample_.summary().frames_of_types(), options_.seed);
    const std::vector<std::int64_t> fixed = frames_behind_maps(model.terms);
    std::vector<int> folds;
    sample_.visit([&](const Structure& s, const FramePlace& place) {
      const int own = assigner.next(s);
      folds.push_back(std::binary_search(fixed.begin(), fixed.end(), place.number) ? never_left_out : own);
    });
    return folds;
  }

  double charge_of(const Structure& s) const {
    double sum = 0;
    for (const PotentialPointer& p : options_.baselines)
      for (const double charge : charges_of(*p, s)) sum += charge;
    return sum;
  }

  static StructureErrors errors_of(const Structure& s, const Prediction& prediction) {
    StructureErrors errors{.place = s.source};
    for (const ComparedRow& row : compared_rows(s, prediction, target_info(Property::energy))) errors.energy = row.error() / s.size();
    double square = 0;
    for (const ComparedRow& row : compared_rows(s, prediction, target_info(Property::force))) {
      square += row.error() * row.error();
      ++errors.force_rows;
    }
    if (errors.force_rows > 0) errors.force = std::sqrt(square / static_cast<double>(errors.force_rows));
    return errors;
  }

  FitOptions options_;
  OptimizeOptions search_;
  DatasetView sample_;
  ProgressCallback progress_;
};

/// The maximum of the parabola through the evidence of the squares 0, ½ and 1 of the factor.
void find_factor(double none, double half, double one, LongRangeGain& gain) {
  const double curvature = 2 * (one + none - 2 * half), slope = one - none - curvature;
  if (!(curvature < 0) || !(slope > 0)) return;
  const double square = -slope / (2 * curvature);
  gain.charge_factor = std::sqrt(square);
  gain.charge_factor_std = 1 / std::sqrt(-2 * curvature) / (2 * *gain.charge_factor);
}

}  // namespace

std::string LongRangeGain::warning() const {
  constexpr double clear = 0.02, clear_evidence = 3;  // smaller differences are chance
  const auto ratio = [](double with_it, double without_it) {
    return std::isfinite(without_it) && without_it > 0 ? with_it / without_it : 1;
  };
  const double energy = ratio(with.energy, without.energy), force = ratio(with.force, without.force);
  const bool is_better = energy < 1 - clear && force<1 - clear, is_worse = energy> 1 + clear && force > 1 + clear;
  if (!is_better && (is_worse || evidence_with < evidence_without + clear_evidence))
    return fmt::format(
        "the long range ({}) does not help: errors of left-out structures are {:.3g} meV/atom and {:.4g} eV/Å with it, {:.3g} meV/atom and "
        "{:.4g} eV/Å without, the log evidence is {:.1f} with it, {:.1f} without; leave [[long_range]] out{}",
        kinds, 1000 * with.energy, with.force, 1000 * without.energy, without.force, evidence_with, evidence_without,
        charge_factor ? fmt::format(", or multiply the charges by {:.2g}", *charge_factor) : "");
  if (charge_factor && std::abs(*charge_factor - 1) > 0.2)
    return fmt::format("the evidence is largest for the charges of [[long_range]] times {:.2f}", *charge_factor);
  return "";
}

std::optional<LongRangeGain> long_range_gain(const FitData& data, const FitOptions& options,
                                             const std::map<int, double>& reference_energies, const ProgressCallback& progress) {
  std::vector<PotentialPointer> without, scaled;
  LongRangeGain gain;
  int parts = 0;
  for (const PotentialPointer& p : options.baselines) {
    if (!is_long_range(p->name())) {
      without.push_back(p);
      continue;
    }
    gain.kinds += (gain.kinds.empty() ? "" : " and ") + p->name();
    ++parts;
    scaled.push_back(with_scaled_charges(*p, std::numbers::sqrt2 / 2));
  }
  if (parts == 0 || names_environments(options)) return std::nullopt;
  gain.has_fixed_charges = parts == 1 && scaled.front();
  const std::vector<std::int64_t> sample = choose_sample(data.train.summary(), options.seed);
  if (sample.size() < fewest_structures) return std::nullopt;
  const SampleFits fits(data.train, sample, options_of_gain(options, reference_energies), search_of_sample(options), progress);
  gain.charged_cells = fits.charged_cells();
  SampleFit one = fits.fit_with(options.baselines), none = fits.fit_with(without);
  fits.improve(one);
  fits.improve(none);
  gain.structures = static_cast<std::int64_t>(sample.size());
  gain.folds = fits.folds();
  compare_errors(fits.left_out_errors(one), fits.left_out_errors(none), gain);
  gain.evidence_with = one.state.log_evidence;
  gain.evidence_without = none.state.log_evidence;
  if (gain.has_fixed_charges) {
    std::vector<PotentialPointer> half = without;
    half.push_back(scaled.front());
    // The parabola needs one covariance: that of the better fit.
    const HyperparameterState& state = gain.evidence_with > gain.evidence_without ? one.state : none.state;
    find_factor(none.evidence_at(state), fits.fit_with(half).evidence_at(state), one.evidence_at(state), gain);
  }
  return gain;
}

}  // namespace gapkit
