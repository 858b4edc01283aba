#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/fit/long_range_gain.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <gapkit/predict/predictor.hpp>
#include <numbers>

#include "fit/frame_sample.hpp"
#include "fit/sample_options.hpp"

namespace gapkit {
namespace {

constexpr int every = 5;  // structure of the sample is left out
constexpr std::size_t fewest_structures = 10;
constexpr double neutral_within = 1e-3;  // e

FitOptions options_of_gain(const FitOptions& given, const std::map<int, double>& reference_energies) {
  FitOptions options = options_of_sample(given);
  // Isolated atoms may not be in the sample.
  if (options.reference_energies.mode == ReferenceEnergyOptions::Mode::isolated) {
    options.reference_energies = {.mode = ReferenceEnergyOptions::Mode::explicit_values, .values = {}};
    for (const auto& [z, energy] : reference_energies) options.reference_energies.values[element_symbol(z)] = energy;
  }
  return options;
}

/// A fit to the sample, with what other σ and δ need.
struct SampleFit {
  Model model;
  StoredStatistics stored;
  HyperparameterState state = {};

  double evidence_at(const HyperparameterState& other) const {
    return solve_posterior(stored.statistics, model.factor, other.delta_ratio, &other.sigma).log_evidence;
  }
};

/// The sample and its two parts.
class SampleFits {
 public:
  SampleFits(const Dataset& data, const std::vector<std::int64_t>& sample, FitOptions options, OptimizeOptions search,
             const ProgressCallback& progress)
      : options_(std::move(options)),
        search_(std::move(search)),
        fitted_(data, part(sample, false)),
        left_out_(data, part(sample, true)),
        progress_(progress) {}

  std::int64_t fitted() const { return static_cast<std::int64_t>(fitted_.numbers().size()); }
  std::int64_t left_out() const { return static_cast<std::int64_t>(left_out_.numbers().size()); }

  /// The fit with these potentials, at the σ and δ of the options.
  SampleFit fit_with(std::vector<PotentialPointer> baselines) const {
    FitOptions options = options_;
    options.baselines = std::move(baselines);
    FitResult result = fit({fitted_}, options, {.progress = progress_});
    return {.model = std::move(result.model), .stored = std::move(*result.statistics)};
  }

  /// Takes the σ and δ with the largest evidence; gives the errors of the left-out structures.
  LeftOutErrors improve(SampleFit& of) const {
    of.state = optimize(of.stored, of.model.terms, std::vector<double>(of.model.terms.size(), 1.0), search_, progress_).after;
    solve_model(of.model, of.stored.statistics, of.state);
    return errors_of(of.model);
  }

  std::int64_t charged_cells() const {
    std::int64_t count = 0;
    const auto add = [&](const Structure& s, const FramePlace&) {
      const bool is_periodic = s.cell && (s.pbc[0] || s.pbc[1] || s.pbc[2]);
      if (is_periodic && std::abs(charge_of(s)) > neutral_within) ++count;
    };
    fitted_.visit(add);
    left_out_.visit(add);
    return count;
  }

 private:
  static std::vector<std::int64_t> part(const std::vector<std::int64_t>& sample, bool is_left_out) {
    std::vector<std::int64_t> numbers;
    for (std::size_t i = 0; i < sample.size(); ++i)
      if ((i % every == every - 1) == is_left_out) numbers.push_back(sample[i]);
    return numbers;
  }

  double charge_of(const Structure& s) const {
    double sum = 0;
    for (const PotentialPointer& p : options_.baselines)
      for (const double charge : charges_of(*p, s)) sum += charge;
    return sum;
  }

  LeftOutErrors errors_of(const Model& model) const {
    PerTarget<double> squares;
    PerTarget<double> rows;
    Predictor predictor(std::make_shared<const Model>(model));
    left_out_.visit([&](const Structure& s, const FramePlace&) {
      const Prediction prediction = predictor.compute(s);
      for (const Property property : {Property::energy, Property::force})
        for (const ComparedRow& row : compared_rows(s, prediction, target_info(property))) {
          const double error = property == Property::energy ? row.error() / s.size() : row.error();
          squares[property] += error * error;
          rows[property] += 1;
        }
    });
    const auto rms = [&](Property property) { return rows[property] > 0 ? std::sqrt(squares[property] / rows[property]) : NAN; };
    return {rms(Property::energy), rms(Property::force)};
  }

  FitOptions options_;
  OptimizeOptions search_;
  DatasetView fitted_, left_out_;
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
  gain.fitted = fits.fitted();
  gain.left_out = fits.left_out();
  gain.charged_cells = fits.charged_cells();
  SampleFit one = fits.fit_with(options.baselines), none = fits.fit_with(without);
  gain.with = fits.improve(one);
  gain.without = fits.improve(none);
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
