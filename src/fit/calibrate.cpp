#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <gapkit/math/random_stream.hpp>

#include "fit/maximize.hpp"
#include "fit/row_targets.hpp"

namespace gapkit {
namespace {

constexpr double bound = 9.2;                             // |log a|, |log b|: factors from 1e-4 to 1e4
constexpr double prior_width = 2.3;                       // standard deviation of log a and log b: a factor of 10
constexpr double class_width = 0.5;                       // of the logarithm of a config type's own number
constexpr double least_noise = 0.01;                      // of the errors (root mean square): reference values are not exact
constexpr double most_noise = 100;                        // of the errors: rows of larger σ say nothing about error bars
constexpr double least_factor = 1e-3, most_factor = 1e3;  // both a and b beyond: no calibration
constexpr std::int64_t fewest_of_class = 5;               // structures that a config type needs for it

/// Mean log likelihood per row, with its gradient in log a and log b. x: the free ones of log a, log b.
class Likelihood {
 public:
  Likelihood(const HeldOutRows& rows, bool has_noise) : rows_(rows), has_noise_(has_noise) {}

  double operator()(const std::vector<double>& x, std::vector<double>& gradient) const {
    const double aa = std::exp(2 * x[0]), bb = has_noise_ ? std::exp(2 * x[1]) : 1.0, n = static_cast<double>(rows_.size());
    double sum = 0, by_a = 0, by_b = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const double data = aa * rows_.epistemic[i] * rows_.epistemic[i], noise = bb * rows_.noise[i] * rows_.noise[i];
      const double variance = data + noise, ratio = rows_.error[i] * rows_.error[i] / variance;
      sum -= 0.5 * (std::log(variance) + ratio);
      by_a += (ratio - 1) * data / variance;
      by_b += (ratio - 1) * noise / variance;
    }
    gradient[0] = (by_a - x[0] / (prior_width * prior_width)) / n;
    sum -= 0.5 * x[0] * x[0] / (prior_width * prior_width);
    if (has_noise_) {
      gradient[1] = (by_b - x[1] / (prior_width * prior_width)) / n;
      sum -= 0.5 * x[1] * x[1] / (prior_width * prior_width);
    }
    return sum / n;
  }

 private:
  const HeldOutRows& rows_;
  bool has_noise_;
};

double root_mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

std::int64_t count_distinct(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  return std::unique(values.begin(), values.end()) - values.begin();
}

/// ⟨z²⟩, or less where tails are heavier than a Gaussian's: then no scale makes both the mean square and the share within one error bar
/// right, and this takes the geometric middle, √(⟨z²⟩ q²) with q the 68.3 % quantile of |z|. Both are 1 for z ~ N(0, 1).
double scale_square(std::vector<double> z) {
  double sum = 0;
  for (double& x : z) {
    sum += x * x;
    x = std::abs(x);
  }
  const double mean = sum / static_cast<double>(z.size());
  if (z.size() < 5) return mean;
  const auto place = z.begin() + static_cast<std::ptrdiff_t>(0.6827 * static_cast<double>(z.size()));
  std::nth_element(z.begin(), place, z.end());
  return std::sqrt(mean) * *place;
}

/// A number f that the error bars of `structures` structures are multiplied by: n (log f + ½ m/f²) + ½ (log f)²/w² is smallest, with m
/// the square of their scale. Near 1 if there are few.
double own_factor(std::size_t structures, double square) {
  const auto n = static_cast<double>(structures);
  double low = -bound, high = bound;  // of log f; the derivative increases with it
  for (int step = 0; step < 60; ++step) {
    const double t = 0.5 * (low + high);
    const double slope = n * (1 - square * std::exp(-2 * t)) + t / (class_width * class_width);
    (slope > 0 ? high : low) = t;
  }
  return std::exp(0.5 * (low + high));
}

/// Multiplies the factors so that the scale of the rows of one config type (−1: of all) becomes right; sets rows and structures.
void rescale(const HeldOutRows& rows, int config_type, CalibrationFactors& factors) {
  std::vector<double> z;
  std::vector<int> structures;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (config_type >= 0 && rows.config_type[i] != config_type) continue;
    z.push_back(rows.error[i] / std::hypot(factors.a * rows.epistemic[i], factors.b * rows.noise[i]));
    structures.push_back(rows.structure[i]);
  }
  factors.rows = static_cast<std::int64_t>(z.size());
  factors.structures = count_distinct(std::move(structures));
  if (z.empty()) return;
  const double f = own_factor(static_cast<std::size_t>(factors.structures), scale_square(std::move(z)));
  factors.a *= f;
  factors.b *= f;
}

/// Without the rows whose σ dwarfs the errors: users switch rows off with such σ, and one b for these and others would shrink the noise of
/// all.
HeldOutRows informative(const HeldOutRows& rows) {
  HeldOutRows result;
  const double most = most_noise * (rows.size() == 0 ? 0 : root_mean_square(rows.error));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.noise[i] > most) continue;
    result.error.push_back(rows.error[i]);
    result.epistemic.push_back(rows.epistemic[i]);
    result.noise.push_back(rows.noise[i]);
    result.structure.push_back(rows.structure[i]);
    result.config_type.push_back(rows.config_type[i]);
  }
  return result;
}

/// Labels that are predictions of the model itself, for example, would make both vanish.
bool is_plausible(const CalibrationFactors& f) {
  return std::max(f.a, f.b) > least_factor && std::min(f.a, f.b) < most_factor;
}

bool is_isolated_atom(const Structure& frame, double cutoff) {
  return frame.size() == 1 && NeighborList(frame, cutoff).pair_count() == 0;
}

}  // namespace

CalibrationFactors calibrate(const HeldOutRows& rows) {
  CalibrationFactors result;
  result.rows = static_cast<std::int64_t>(rows.size());
  result.structures = count_distinct(rows.structure);
  if (rows.size() == 0) throw InputError("calibration: there are no held-out rows");
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!std::isfinite(rows.error[i]) || !(rows.epistemic[i] + rows.noise[i] > 0))
      throw NumericalError("calibration: row " + std::to_string(i + 1) + " has error " + std::to_string(rows.error[i]) +
                           " and no error bar above 0");
  const bool has_noise = std::any_of(rows.noise.begin(), rows.noise.end(), [](double x) { return x > 0; });
  const Likelihood likelihood(rows, has_noise);
  const std::size_t unknowns = has_noise ? 2 : 1;
  const std::vector<double> upper(unknowns, bound);
  std::vector<double> lower(unknowns, -bound);
  if (has_noise) {
    const double least = least_noise * root_mean_square(rows.error) / root_mean_square(rows.noise);
    lower[1] = std::clamp(std::log(std::max(least, std::exp(-bound))), -bound, bound);
  }
  // Either part may explain the errors alone, with a valley between: begin at both ends and in the middle.
  Maximum best;
  for (const auto& start : {std::array{0.0, 0.0}, std::array{-4.0, 0.0}, std::array{0.0, -4.0}, std::array{2.0, -4.0}}) {
    std::vector<double> x(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(unknowns));
    for (std::size_t i = 0; i < unknowns; ++i) x[i] = std::max(x[i], lower[i]);
    const Maximum found = maximize(likelihood, x, lower, upper, 4.0, 1e-8, 500);
    if (best.x.empty() || found.value > best.value) best = found;
    if (!has_noise) break;
  }
  result.a = std::exp(best.x[0]);
  if (has_noise) result.b = std::exp(best.x[1]);
  return result;
}

void Calibrator::use(std::shared_ptr<const Model> model) {
  model_ = std::move(model);
  predictor_ = std::make_unique<Predictor>(model_);
}

void Calibrator::add(const Structure& frame) {
  const Observables wanted = wanted_rows(rules_, frame);
  if (wanted.rows(frame.size()) == 0) return;
  // An isolated atom is the zero of energy, and a copy of a frame brings nothing new.
  if (is_isolated_atom(frame, model_->cutoff())) return;
  Checksum checksum;
  add_frame(checksum, frame);
  if (!seen_.insert(checksum.value()).second) return;
  PredictionRequest request{.calibrated = false};
  for (const TargetInfo& target : targets()) request.std_of(target.property) = wanted.wants(target.property);
  const Prediction prediction = predictor_->compute(frame, request);
  const int type = config_types_.try_emplace(frame.config_type, static_cast<int>(config_types_.size())).first->second;
  for (const TargetInfo& target : targets()) {
    if (!wanted.wants(target.property)) continue;
    const std::vector<double> noise_of_rows = row_noise(*model_, target.property, frame);
    HeldOutRows& rows = rows_[target.property];
    for (const ComparedRow& row : compared_rows(frame, prediction, target)) {
      const double noise = noise_of_rows[static_cast<std::size_t>(row.row)];
      // What symmetry makes zero is zero to rounding, whatever the model: it says nothing about the errors of the others.
      if (target.vanishes(row.predicted, row.reference, row.epistemic) || !(row.epistemic + noise > 0)) continue;
      rows.error.push_back(row.error());
      rows.epistemic.push_back(row.epistemic);
      rows.noise.push_back(noise);
      rows.structure.push_back(static_cast<int>(structures_));
      rows.config_type.push_back(type);
    }
  }
  ++structures_;
}

std::optional<Calibration> Calibrator::calibration(const std::string& source, const ProgressCallback& progress) const {
  Calibration result;
  result.source = source;
  for (const TargetInfo& target : targets()) {
    const Property property = target.property;
    const HeldOutRows rows = informative(this->rows(property));
    if (count_distinct(rows.structure) < fewest_structures_) continue;
    CalibrationFactors common = calibrate(rows);
    common.property = property;
    rescale(rows, -1, common);
    if (!is_plausible(common)) continue;
    result.factors.push_back(common);
    for (const auto& [name, type] : config_types_) {
      if (config_types_.size() < 2 || name == "default") continue;
      CalibrationFactors own = common;
      own.config_class = name;
      rescale(rows, type, own);
      if (own.structures >= fewest_of_class) result.factors.push_back(own);
    }
  }
  std::string missing;
  for (const TargetInfo& target : targets()) {
    const Property property = target.property;
    const bool is_fitted = model_ && std::any_of(model_->posterior.groups.begin(), model_->posterior.groups.end(),
                                                 [&](const RowGroup& g) { return g.property == property; });
    if (is_fitted && !result.covers(property)) missing += std::string(missing.empty() ? "" : ", ") + property_name(property);
  }
  if (progress && !missing.empty())
    progress({.phase = "calibrate",
              .message = "fewer than " + std::to_string(fewest_structures_) +
                         " different held-out structures have rows of these properties that can be used (their σ not far above the errors, "
                         "their errors "
                         "not zero), so their error bars stay uncalibrated: " +
                         missing,
              .is_warning = true});
  if (result.factors.empty()) return std::nullopt;
  return result;
}

std::optional<Calibration> calibrate_on(const Dataset& data, const Model& model, const RowRules& rules, const CalibrationOptions& options,
                                        std::uint64_t seed, const ProgressCallback& progress) {
  DatasetSummary summary = data.summary();
  summary.check_complete();
  RandomStream random{.seed = seed, .stream = 0xD1B54A32D192ED03u};
  shuffle(summary.frames, random);
  std::vector<std::int64_t> chosen;
  double total = 0;
  for (const DatasetSummary::Frame& frame : summary.frames) {
    if (total > 0 && total + frame.atoms > static_cast<double>(options.most_atoms)) continue;
    chosen.push_back(frame.number);
    total += frame.atoms;
  }
  std::sort(chosen.begin(), chosen.end());
  Calibrator calibrator(rules, options.fewest_structures);
  calibrator.use(std::make_shared<const Model>(model));
  double done = 0;
  DatasetView(data, std::move(chosen)).visit([&](const Structure& s, const FramePlace&) {
    calibrator.add(s);
    done += s.size();
    if (progress) progress({.phase = "calibrate", .done = done, .total = total, .unit = "atoms"});
  });
  return calibrator.calibration("validation", progress);
}

std::vector<std::vector<std::int64_t>> choose_held_out(const Dataset& data, double fraction, int rounds, std::uint64_t seed) {
  const DatasetSummary summary = data.summary();
  std::map<std::string, std::vector<DatasetSummary::Frame>> config_types;
  std::map<int, std::int64_t> frames_with;  // by element
  const auto elements_of = [&](const DatasetSummary::Frame& frame) -> const std::vector<int>& {
    return summary.element_sets[static_cast<std::size_t>(frame.elements)];
  };
  for (const DatasetSummary::Frame& frame : summary.frames) {
    for (const int z : elements_of(frame)) ++frames_with[z];
    if (frame.atoms > 1) config_types[summary.config_types[static_cast<std::size_t>(frame.config_type)]].push_back(frame);
  }
  RandomStream random{.seed = seed, .stream = 0xA0761D6478BD642Fu};
  for (auto& [name, frames] : config_types) shuffle(frames, random);
  std::vector<std::vector<std::int64_t>> result;
  std::map<std::string, std::size_t> next;  // frame of each config type
  double owed = 0.5;                        // what rounding has left over; types with few structures take turns
  for (int round = 0; round < rounds; ++round) {
    std::vector<std::int64_t>& held_out = result.emplace_back();
    std::map<int, std::int64_t> left = frames_with;
    for (const auto& [name, frames] : config_types) {
      owed += fraction * static_cast<double>(frames.size());
      const auto whole = static_cast<std::size_t>(owed);
      owed -= static_cast<double>(whole);
      for (std::size_t k = 0; k < std::min(whole, frames.size() - 1); ++k) {
        const DatasetSummary::Frame& frame = frames[next[name]++ % frames.size()];
        const std::vector<int>& elements = elements_of(frame);
        if (std::any_of(elements.begin(), elements.end(), [&](int z) { return left[z] < 2; })) continue;
        for (const int z : elements) --left[z];
        held_out.push_back(frame.number);
      }
    }
    std::sort(held_out.begin(), held_out.end());
  }
  return result;
}

}  // namespace gapkit
