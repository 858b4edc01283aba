#include "fit/charge_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/feature_map_file.hpp>
#include <gapkit/potentials/long_range.hpp>

#include "fit/accumulate.hpp"
#include "fit/data_scan.hpp"
#include "fit/frame_sample.hpp"
#include "fit/sample_options.hpp"

namespace gapkit {
namespace {

constexpr std::int64_t fewest_of_scale = 5;       // structures
constexpr int most_parts = 8;                     // of the sample, for the spread
constexpr int most_rounds = 6;                    // of the square and of σ and δ in turn
constexpr double prior_mean = 1, prior_std = 10;  // of the square: wide

/// Statistics of rows with the labels y − s e at the same sparse points, e the energy of the unscaled charges: quadratic in s, so that
/// three values of s give them at all.
class ScaledStatistics {
 public:
  ScaledStatistics(SufficientStatistics none, const SufficientStatistics& half, const SufficientStatistics& one) : none_(std::move(none)) {
    for (std::size_t g = 0; g < none_.groups.size(); ++g) {
      const GroupStatistics &y = none_.groups[g], &at_half = half.groups.at(g), &at_one = one.groups.at(g);
      if (!y.group.same_rows(at_half.group) || !y.group.same_rows(at_one.group)) throw Error("charge scale: the rows differ");
      moment_.push_back(y.moment - at_one.moment);
      square_.push_back(2 * (y.target_square - 2 * at_half.target_square + at_one.target_square));
      product_.push_back(0.5 * (y.target_square - at_one.target_square + square_.back()));
    }
  }

  const std::vector<GroupStatistics>& groups() const { return none_.groups; }

  SufficientStatistics at(double s) const {
    SufficientStatistics result = none_;
    for (std::size_t g = 0; g < result.groups.size(); ++g) {
      result.groups[g].moment -= s * moment_[g];
      result.groups[g].target_square += s * (s * square_[g] - 2 * product_[g]);
    }
    return result;
  }

  /// The square as one more unknown beside the weights of the terms.
  struct Estimate {
    double mean = 0, variance = 0;
  };
  /// `sigma`: of each group. `left_out`: a part of the data; negative: none.
  Estimate estimate(const SparseFactor& factor, const std::vector<double>& sigma, const std::vector<double>& delta_ratio,
                    int left_out) const {
    std::vector<double> used = sigma;
    for (std::size_t g = 0; g < used.size(); ++g)
      if (groups()[g].group.fold == left_out) used[g] = std::numeric_limits<double>::infinity();
    const Posterior posterior = solve_posterior(none_, factor, delta_ratio, &used);
    Vector column = Vector::Zero(factor.size());
    double precision = 1 / (prior_std * prior_std), product = prior_mean * precision;
    for (std::size_t g = 0; g < used.size(); ++g) {
      if (std::isinf(used[g])) continue;
      const double weight = 1 / (posterior.groups[g].sigma * posterior.groups[g].sigma);
      column += weight * moment_[g];
      precision += weight * square_[g];
      product += weight * product_[g];
    }
    for (std::size_t t = 0; t < delta_ratio.size(); ++t) column.segment(factor.offsets()[t], factor.blocks()[t].rows()) *= delta_ratio[t];
    const double own = product - column.dot(posterior.mean);
    const double variance = 1 / (precision - solve_lower(posterior.factor, column).squaredNorm());
    if (!(variance > 0) || !std::isfinite(own)) throw NumericalError("the scale of the charges of [[long_range]] came out as NaN");
    return {own * variance, variance};
  }

 private:
  SufficientStatistics none_;
  std::vector<Vector> moment_;            // Σ w φ e of each group
  std::vector<double> square_, product_;  // Σ w e², Σ w e y
};

/// The regression to the sample.
class ScaleFit {
 public:
  ScaleFit(const Dataset& sample, FitOptions options, const Potential& coulomb, const ProgressCallback& progress)
      : sample_(sample),
        options_(std::move(options)),
        coulomb_(coulomb),
        progress_(progress),
        model_(fit({sample}, options_, {progress}).model) {
    const auto frames = sample.summary().frames_of_types();
    std::int64_t count = 0;
    for (const auto& [name, of_type] : frames) count += of_type;
    options_.optimize.folds = static_cast<int>(std::min<std::int64_t>(most_parts, count));
  }

  ChargeScale run(const OptimizeOptions& search) const {
    const StoredStatistics none = statistics_with(0);
    const ScaledStatistics sums(none.statistics, statistics_with(0.5).statistics, statistics_with(1).statistics);
    StoredStatistics stored = none;
    std::vector<double> sigma, delta_ratio;
    double square = prior_mean;
    for (int round = 0; round < most_rounds; ++round) {
      stored.statistics = sums.at(square);
      const OptimizationReport report = optimize(stored, model_.terms, std::vector<double>(model_.terms.size(), 1.0), search, progress_);
      sigma = sigma_of(sums.groups(), report);
      delta_ratio = report.after.delta_ratio;
      const auto found = sums.estimate(model_.factor, sigma, delta_ratio, -1);
      const bool is_done = std::abs(found.mean - square) <= 0.1 * std::sqrt(found.variance);
      square = found.mean;
      if (is_done) break;
    }
    return scale_of(sums, sigma, delta_ratio);
  }

 private:
  /// Statistics of the labels less s times the energy of the charges.
  StoredStatistics statistics_with(double s) const {
    FitOptions options = options_;
    if (s > 0) options.baselines.push_back(with_scaled_charges(coulomb_, std::sqrt(s)));
    Model model = model_;
    model.baselines = options.baselines;
    model.reference_energies = scan_frames(sample_, options, {}).plan.reference_energies;
    StoredStatistics stored{.statistics = {}, .rules = row_rules(options), .amplitudes = {}};
    std::map<std::string, std::int64_t> terms;
    for (const Term& term : model.terms)
      stored.amplitudes.push_back(terms.try_emplace(term.name, static_cast<std::int64_t>(terms.size())).first->second);
    const Regularization regularization(stored.rules);
    AccumulationRules rules{.model = model,
                            .regularization = regularization,
                            .folds = FoldAssigner(options.optimize, sample_.summary().frames_of_types(), options.seed),
                            .never_left_out = frames_behind_maps(model.terms),
                            .fingerprint = statistics_fingerprint(model_)};
    const double atoms = static_cast<double>(sample_.summary().atoms());
    stored.statistics = accumulate(sample_, std::move(rules), {}, [&](double done) {
                          if (progress_) progress_({.phase = "fit", .done = done, .total = atoms, .unit = "atoms"});
                        }).statistics;
    return stored;
  }

  static std::vector<double> sigma_of(const std::vector<GroupStatistics>& groups, const OptimizationReport& report) {
    std::vector<double> sigma;
    for (const GroupStatistics& g : groups)
      for (std::size_t i = 0; i < report.groups.size(); ++i)
        if (report.groups[i].same_noise(g.group)) sigma.push_back(report.after.sigma[i]);
    return sigma;
  }

  ChargeScale scale_of(const ScaledStatistics& sums, const std::vector<double>& sigma, const std::vector<double>& delta_ratio) const {
    const auto found = sums.estimate(model_.factor, sigma, delta_ratio, -1);
    ChargeScale scale;
    scale.square = found.mean;
    scale.posterior_std = std::sqrt(found.variance);
    // Spread of the estimates without one part each (jackknife).
    std::vector<double> without;
    for (int part = 0; part < options_.optimize.folds; ++part)
      without.push_back(sums.estimate(model_.factor, sigma, delta_ratio, part).mean);
    double mean = 0, spread = 0;
    for (const double s : without) mean += s / static_cast<double>(without.size());
    for (const double s : without) spread += (s - mean) * (s - mean);
    spread = std::sqrt(spread * static_cast<double>(without.size() - 1) / static_cast<double>(without.size()));
    scale.square_std = std::max(scale.posterior_std, spread);
    return scale;
  }

  const Dataset& sample_;
  FitOptions options_;
  const Potential& coulomb_;
  const ProgressCallback& progress_;
  Model model_;
};

/// The sample, and single atoms for their reference energies.
std::vector<std::int64_t> frames_of_scale(const DatasetSummary& summary, const FitOptions& options, std::int64_t& structures) {
  std::vector<std::int64_t> numbers = choose_sample(summary, options.seed);
  if (names_environments(options)) {
    numbers.clear();
    for (const auto& frame : summary.frames)
      if (frame.atoms > 1) numbers.push_back(frame.number);
  }
  structures = static_cast<std::int64_t>(numbers.size());
  for (const auto& frame : summary.frames)
    if (frame.atoms == 1) numbers.push_back(frame.number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

FitOptions with_charge_scale(const FitData& data, const FitOptions& options, std::optional<ChargeScale>& found,
                             const ProgressCallback& progress) {
  const auto is_scaled = [](const PotentialPointer& p) { return has_free_scale(*p); };
  const auto coulomb = std::find_if(options.baselines.begin(), options.baselines.end(), is_scaled);
  if (coulomb == options.baselines.end()) return options;
  const DatasetSummary summary = data.train.summary();
  std::int64_t structures = 0;
  const DatasetView sample(data.train, frames_of_scale(summary, options, structures));
  if (structures < fewest_of_scale)
    throw InputError(fmt::format("[[long_range]] scale = true needs {} structures of several atoms, found {}; give the charges themselves",
                                 fewest_of_scale, structures));
  FitOptions of_sample = options_of_sample(options);
  std::erase_if(of_sample.baselines, is_scaled);
  const ProgressCallback shown = [&](const ProgressEvent& event) {
    if (!progress || !event.message.empty()) return;
    ProgressEvent named = event;
    named.phase = "charges: " + event.phase;
    progress(named);
  };
  found = ScaleFit(sample, of_sample, **coulomb, shown).run(search_of_sample(options));
  found->structures = structures;
  FitOptions result = options;
  PotentialPointer& scaled = result.baselines[static_cast<std::size_t>(coulomb - options.baselines.begin())];
  scaled = with_scaled_charges(*scaled, found->factor());
  if (progress) {
    progress({.phase = "charges", .message = found->text()});
    if (!(found->square > 2 * found->square_std))
      progress({.phase = "charges",
                .message = "the data prefer no charges of this pattern: check their signs, or leave [[long_range]] out",
                .is_warning = true});
  }
  return result;
}

double ChargeScale::factor() const {
  return std::sqrt(std::max(square, 0.0));
}

double ChargeScale::factor_std() const {
  return square > square_std ? square_std / (2 * factor()) : std::sqrt(square_std);
}

std::string ChargeScale::text() const {
  return fmt::format("the charges of [[long_range]] times {:.4f} ± {:.2g} fit {} structures best", factor(), factor_std(), structures);
}

}  // namespace gapkit
