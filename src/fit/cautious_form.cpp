#include "fit/cautious_form.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>

#include "fit/maximize.hpp"

namespace gapkit {
namespace {

constexpr double least_cautious_b = 0.2;
constexpr double amplitude_width = 5, power_width = 1;  // of the priors of log a and of the powers, which weigh one row
constexpr double most_log = 60;                         // |log a²|, of centred logarithms

/// Mean log likelihood, with its gradient. x: log a², the powers, log b. Logarithms are centred.
class FormLikelihood {
 public:
  FormLikelihood(const std::vector<CautiousSample>& samples, const std::vector<double>& centre, bool has_noise)
      : samples_(samples), centre_(centre), has_noise_(has_noise) {}

  double operator()(const std::vector<double>& x, std::vector<double>& gradient) const {
    const std::size_t powers = centre_.size();
    const double bb = has_noise_ ? std::exp(2 * x[powers + 1]) : 0.0;
    double sum = 0, weight = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (const CautiousSample& s : samples_) {
      double log_form = x[0];
      for (std::size_t k = 0; k < powers; ++k) log_form += x[k + 1] * (s.logs[k] - centre_[k]);
      const double form = s.part * std::exp(log_form), noise = bb * s.noise * s.noise, variance = form + noise;
      if (!(variance > 0 && std::isfinite(variance))) throw NumericalError("a cautious error bar is not a positive number");
      const double ratio = s.error * s.error / variance, slope = 0.5 * s.weight * (ratio - 1) / variance;
      sum -= 0.5 * s.weight * (std::log(variance) + ratio);
      weight += s.weight;
      gradient[0] += slope * form;
      for (std::size_t k = 0; k < powers; ++k) gradient[k + 1] += slope * form * (s.logs[k] - centre_[k]);
      if (has_noise_) gradient[powers + 1] += 2 * slope * noise;
    }
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double w = k >= 1 && k <= powers ? power_width : amplitude_width;
      gradient[k] -= x[k] / (w * w);
      sum -= 0.5 * x[k] * x[k] / (w * w);
      gradient[k] /= weight;
    }
    return sum / weight;
  }

 private:
  const std::vector<CautiousSample>& samples_;
  const std::vector<double>& centre_;
  bool has_noise_;
};

}  // namespace

CautiousForm likeliest_form(const std::vector<CautiousSample>& samples, const std::vector<double>& lower,
                            const std::vector<double>& upper) {
  const std::size_t powers = lower.size();
  std::vector<double> centre(powers, 0.0);
  double log_part = 0, errors = 0, noise = 0, weight = 0;
  std::size_t parts = 0;
  for (const CautiousSample& s : samples) {
    if (!std::isfinite(s.error) || !(s.part >= 0)) throw NumericalError("a left-out error is not finite");
    weight += s.weight;
    errors += s.weight * s.error * s.error;
    noise += s.weight * s.noise * s.noise;
    for (std::size_t k = 0; k < powers; ++k) centre[k] += s.logs[k] / static_cast<double>(samples.size());
    if (s.part > 0) {
      log_part += std::log(s.part);
      ++parts;
    }
  }
  if (!(errors > 0) || parts == 0) throw InputError("a cautious calibration has no errors of left-out structures above zero");
  const bool has_noise = noise > 0;
  const std::size_t unknowns = powers + 1 + has_noise;
  const double start = std::log(errors / weight) - log_part / static_cast<double>(parts);  // the form alone explains the errors
  // x[0] is relative to that.
  std::vector<CautiousSample> scaled = samples;
  for (CautiousSample& s : scaled) s.part *= std::exp(start);
  SearchLimits limits{.lower = std::vector<double>(unknowns, -most_log),
                      .upper = std::vector<double>(unknowns, most_log),
                      .reach = 4.0,
                      .tolerance = 1e-8,
                      .max_evaluations = 1000};
  for (std::size_t k = 0; k < powers; ++k) {
    limits.lower[k + 1] = lower[k];
    limits.upper[k + 1] = upper[k];
  }
  if (has_noise) {
    const double ratio = std::sqrt(errors / noise);
    limits.lower[powers + 1] = std::log(least_cautious_b * std::min(1.0, ratio));
    limits.upper[powers + 1] = std::max(limits.lower[powers + 1], 0.0) + 5;
  }
  Maximum best;
  for (const double first : {0.0, -3.0}) {
    std::vector<double> x(unknowns, 0.0);
    x[0] = first;
    for (std::size_t k = 0; k < powers; ++k) x[k + 1] = std::clamp(0.3, lower[k], upper[k]);
    if (has_noise) x[powers + 1] = std::clamp(0.0, limits.lower[powers + 1], limits.upper[powers + 1]);
    const Maximum found = maximize(FormLikelihood(scaled, centre, has_noise), x, limits);
    if (best.x.empty() || found.value > best.value) best = found;
  }
  CautiousForm form;
  double log_square = best.x[0] + start;
  for (std::size_t k = 0; k < powers; ++k) {
    form.powers.push_back(best.x[k + 1]);
    log_square -= best.x[k + 1] * centre[k];
  }
  form.a = std::exp(0.5 * log_square);
  form.b = has_noise ? std::exp(best.x[powers + 1]) : 1;
  return form;
}

std::vector<double> squared_scores(const std::vector<CautiousSample>& samples, const CautiousForm& form) {
  std::vector<double> result;
  for (const CautiousSample& s : samples) {
    double log_form = 2 * std::log(form.a);
    for (std::size_t k = 0; k < form.powers.size(); ++k) log_form += form.powers[k] * s.logs[k];
    result.push_back(s.error * s.error / (s.part * std::exp(log_form) + form.b * form.b * s.noise * s.noise));
  }
  return result;
}

}  // namespace gapkit
