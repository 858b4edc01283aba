// The factors of error bars from errors (methods.md, section 5).

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>

#include "fit/maximize.hpp"

namespace gapkit {
namespace {

constexpr double bound = 9.2;                             // |log a|, |log b|: factors from 1e-4 to 1e4
constexpr double prior_width = 2.3;                       // standard deviation of log a and log b: a factor of 10
constexpr double class_width = 0.5;                       // of the logarithm of the factor of a config type
constexpr double least_noise = 0.01;                      // of the errors (root mean square): reference values are not exact
constexpr double most_noise = 100;                        // of the errors: rows of larger σ do not inform about error bars
constexpr double least_factor = 1e-3, most_factor = 1e3;  // both a and b beyond: no calibration
constexpr double prior_structures = 4;                    // weight of the common factors against an element's own
constexpr std::int64_t fewest_of_class = 5;               // structures that a config type needs for its factor

/// Mean log likelihood per row, with its gradient. x: log a, or log a and log b.
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

/// √(⟨z²⟩ q²), with q the 68.3 % quantile of |z|: the geometric mean of two squares that are 1 for z ~ N(0, 1). With heavier tails no scale
/// makes both right. Fewer than 5 values: ⟨z²⟩.
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

/// The f that minimises n (log f + ½ m/f²) + ½ (log f)²/w² for n structures whose z have the squared scale m: a factor of their error bars,
/// near 1 for few structures.
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

/// The rows for which `is_chosen` is true of their index.
template <class Chosen>
HeldOutRows some_of(const HeldOutRows& rows, const Chosen& is_chosen) {
  HeldOutRows result;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!is_chosen(i)) continue;
    result.error.push_back(rows.error[i]);
    result.epistemic.push_back(rows.epistemic[i]);
    result.noise.push_back(rows.noise[i]);
    result.structure.push_back(rows.structure[i]);
    result.config_type.push_back(rows.config_type[i]);
    if (!rows.element.empty()) result.element.push_back(rows.element[i]);
  }
  return result;
}

/// Rows without those whose σ is far above the errors: users switch rows off with such σ, and a b for these would shrink the noise of
/// all.
HeldOutRows informative(const HeldOutRows& rows) {
  const double most = most_noise * (rows.size() == 0 ? 0 : root_mean_square(rows.error));
  return some_of(rows, [&](std::size_t i) { return rows.noise[i] <= most; });
}

/// False if both factors nearly vanish or are huge, for example if labels are predictions of the same model.
bool is_plausible(const CalibrationFactors& f) {
  return std::max(f.a, f.b) > least_factor && std::min(f.a, f.b) < most_factor;
}

/// Factors of all rows, and those of the atoms of single elements.
struct FactorSet {
  CalibrationFactors common;
  std::map<int, CalibrationFactors> of_element;

  const CalibrationFactors& of(const HeldOutRows& rows, std::size_t i) const {
    const auto found = rows.element.empty() ? of_element.end() : of_element.find(rows.element[i]);
    return found == of_element.end() ? common : found->second;
  }
  std::vector<double> z(const HeldOutRows& rows) const {
    std::vector<double> result;
    for (std::size_t i = 0; i < rows.size(); ++i)
      result.push_back(rows.error[i] / std::hypot(of(rows, i).a * rows.epistemic[i], of(rows, i).b * rows.noise[i]));
    return result;
  }
  template <class Change>
  void change(const Change& change_one) {
    change_one(common);
    for (auto& [element, factors] : of_element) change_one(factors);
  }
};

void count(const HeldOutRows& rows, CalibrationFactors& factors) {
  factors.rows = static_cast<std::int64_t>(rows.size());
  factors.structures = count_distinct(rows.structure);
}

/// The factors of each of several elements: geometric means of its own ones, with the weight n/(n + 4) for n structures, and the common
/// ones.
void add_elements(const HeldOutRows& rows, double least_b, FactorSet& set) {
  std::vector<int> elements = rows.element;
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  if (elements.size() < 2) return;
  for (const int element : elements) {
    const HeldOutRows own = some_of(rows, [&](std::size_t i) { return rows.element[i] == element; });
    if (!(root_mean_square(own.error) > 0)) continue;
    const CalibrationFactors found = likeliest_factors(own, least_b);
    const auto n = static_cast<double>(found.structures);
    const double weight = n / (n + prior_structures);
    CalibrationFactors& mixed = set.of_element.emplace(element, set.common).first->second;
    mixed.a = std::pow(found.a, weight) * std::pow(set.common.a, 1 - weight);
    mixed.b = std::pow(found.b, weight) * std::pow(set.common.b, 1 - weight);
    mixed.element = element;
    count(own, mixed);
  }
}

/// Multiplies all factors by own_factor() of these rows; b stays above the least one.
void rescale(const HeldOutRows& rows, double least_b, FactorSet& set) {
  if (rows.size() == 0) return;
  const double f = own_factor(static_cast<std::size_t>(count_distinct(rows.structure)), scale_square(set.z(rows)));
  set.change([&](CalibrationFactors& factors) {
    const double least = std::min(factors.b, least_b);
    factors.a *= f;
    factors.b = std::max(factors.b * f, least);
  });
}

void append(const FactorSet& set, std::vector<CalibrationFactors>& result) {
  result.push_back(set.common);
  for (const auto& [element, factors] : set.of_element) result.push_back(factors);
}

CalibrationQuality quality_of(const std::vector<double>& z) {
  CalibrationQuality quality;
  for (const double x : z) {
    quality.zms += x * x;
    quality.coverage68 += std::abs(x) <= 1;
    quality.coverage95 += std::abs(x) <= 1.96;
  }
  const auto n = static_cast<double>(z.size());
  return {quality.zms / n, quality.coverage68 / n, quality.coverage95 / n};
}

}  // namespace

CalibrationFactors likeliest_factors(const HeldOutRows& rows, double least_b) {
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
  SearchLimits limits{.lower = std::vector<double>(unknowns, -bound),
                      .upper = std::vector<double>(unknowns, bound),
                      .reach = 4.0,
                      .tolerance = 1e-8,
                      .max_evaluations = 500};
  if (has_noise) {
    const double errors = root_mean_square(rows.error) / root_mean_square(rows.noise);
    const double least = std::max(least_noise * errors, least_b * std::min(1.0, errors));
    limits.lower[1] = std::clamp(std::log(std::max(least, std::exp(-bound))), -bound, bound);
  }
  // Each part may explain the errors alone, with a valley between: start at both ends and in the middle.
  Maximum best;
  for (const auto& start : {std::array{0.0, 0.0}, std::array{-4.0, 0.0}, std::array{0.0, -4.0}, std::array{2.0, -4.0}}) {
    std::vector<double> x(start.begin(), start.begin() + static_cast<std::ptrdiff_t>(unknowns));
    for (std::size_t i = 0; i < unknowns; ++i) x[i] = std::max(x[i], limits.lower[i]);
    const Maximum found = maximize(likelihood, x, limits);
    if (best.x.empty() || found.value > best.value) best = found;
    if (!has_noise) break;
  }
  result.a = std::exp(best.x[0]);
  if (has_noise) result.b = std::exp(best.x[1]);
  return result;
}

std::vector<CalibrationFactors> factors_of_rows(Property property, const HeldOutRows& given, const std::map<std::string, int>& config_types,
                                                const FactorRules& rules) {
  const HeldOutRows rows = informative(given);
  if (count_distinct(rows.structure) < rules.fewest_structures) return {};
  FactorSet all{likeliest_factors(rows, rules.least_b), {}};
  all.common.property = property;
  all.common.part = rules.part;
  all.common.points = rules.points;
  add_elements(rows, rules.least_b, all);
  rescale(rows, rules.least_b, all);
  count(rows, all.common);
  if (!is_plausible(all.common)) return {};
  std::vector<FactorSet> classes;
  for (const auto& [name, type] : config_types) {
    if (config_types.size() < 2 || name == "default") continue;
    const int chosen = type;
    const HeldOutRows own = some_of(rows, [&](std::size_t i) { return rows.config_type[i] == chosen; });
    if (own.size() == 0 || count_distinct(own.structure) < fewest_of_class) continue;
    FactorSet& set = classes.emplace_back(all);
    const std::string& config_class = name;
    set.change([&](CalibrationFactors& factors) { factors.config_class = config_class; });
    rescale(own, rules.least_b, set);
    set.change([&](CalibrationFactors& factors) { count(own, factors); });
    if (rules.has_quality) set.common.quality = quality_of(set.z(own));
  }
  if (rules.has_quality) all.common.quality = quality_of(all.z(rows));
  std::vector<CalibrationFactors> result;
  append(all, result);
  for (const FactorSet& set : classes) append(set, result);
  return result;
}

void report_uncalibrated(const Model& model, const Calibration& calibration, std::int64_t fewest_structures,
                         const ProgressCallback& progress) {
  std::string missing;
  for (const TargetInfo& target : all_targets()) {
    const bool is_fitted = std::any_of(model.posterior.groups.begin(), model.posterior.groups.end(),
                                       [&](const RowGroup& g) { return g.property == target.property; });
    if (is_fitted && !calibration.covers(target.property)) missing += std::string(missing.empty() ? "" : ", ") + target.name;
  }
  if (!progress || missing.empty()) return;
  progress({.phase = "calibrate",
            .message = "fewer than " + std::to_string(fewest_structures) +
                       " different held-out structures have rows of these properties that can be used (their σ not far above the errors, "
                       "their errors "
                       "not zero), so their error bars stay uncalibrated: " +
                       missing,
            .is_warning = true});
}

}  // namespace gapkit
