#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/active/threshold.hpp>
#include <gapkit/core/errors.hpp>

#include "active/noise.hpp"

namespace gapkit {
namespace {

using Mode = ThresholdOptions::Mode;
using Quantity = ThresholdOptions::Quantity;

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::size_t most_points = 100;  // the latest

/// σ of the quantity: of a force, of an atom's share of the energy.
double sigma_of(const Model& model, Quantity quantity) {
  return noise_unit(model, quantity == Quantity::force ? Property::force : Property::energy, "default");
}

double negative_log_likelihood(std::span<const CalibrationPoint> points, double a, double b) {
  double sum = 0;
  for (const CalibrationPoint& p : points) {
    const double variance = (a * a * p.epistemic + b * b * p.noise) / p.count;
    sum += std::log(variance) + p.error / p.count / variance;  // every structure counts once, whatever its size
  }
  return sum;
}

std::vector<CalibrationPoint> usable(const std::vector<CalibrationPoint>& points) {
  std::vector<CalibrationPoint> used;
  for (const CalibrationPoint& p : points)
    if (p.count > 0 && p.noise > 0) used.push_back(p);
  return used;
}

/// The quantity's error bar over the rms std of the forces: the median over the points.
double bar_per_force_std(const std::vector<CalibrationPoint>& points) {
  std::vector<double> ratios;
  for (const CalibrationPoint& p : points)
    if (p.count > 0 && p.epistemic > 0) ratios.push_back(p.bar / std::sqrt(p.epistemic / p.count));
  if (ratios.empty()) return 1;
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::nth_element(ratios.begin(), middle, ratios.end());
  return *middle;
}

}  // namespace

ErrorScale calibrated(const std::vector<CalibrationPoint>& points) {
  std::vector<CalibrationPoint> used = usable(points);
  if (used.size() > most_points) used.erase(used.begin(), used.end() - most_points);
  ErrorScale best;
  if (used.empty()) return best;
  double lowest = infinite;
  for (int i = -10; i <= 20; ++i)
    for (int j = -10; j <= 10; ++j) {
      const double a = std::pow(10.0, 0.1 * i), b = std::pow(10.0, 0.1 * j);
      const double value = negative_log_likelihood(used, a, b);
      if (value < lowest) {
        lowest = value;
        best = {a, b};
      }
    }
  return best;
}

Threshold threshold_of(const ThresholdOptions& options, const Model& model, const std::vector<CalibrationPoint>& points,
                       const std::optional<Threshold>& previous) {
  Threshold threshold;
  switch (options.mode) {
    case Mode::none:
      return {0, infinite, {}};
    case Mode::absolute:
      threshold.value = options.value;
      break;
    case Mode::relative:
      threshold.value = options.value * sigma_of(model, options.quantity);
      break;
    case Mode::automatic:
      threshold.scale = calibrated(points);
      // Where the part of the force error that more data would remove is as large as what the fit leaves as noise.
      threshold.value = options.value * std::max(1.0, threshold.scale.b) / threshold.scale.a *
                        (points.empty() ? sigma_of(model, options.quantity) : sigma_of(model, Quantity::force) * bar_per_force_std(points));
      if (previous && std::abs(threshold.value - previous->value) <= options.hysteresis * previous->value)
        threshold.value = previous->value;
      break;
  }
  threshold.upper = options.upper * threshold.value;
  return threshold;
}

std::string threshold_remark(const ThresholdOptions& options, const Model& model, const std::vector<CalibrationPoint>& points) {
  std::string text;
  if (options.mode != Mode::relative && options.mode != Mode::automatic) return text;
  const bool is_force = options.quantity == Quantity::force || (options.mode == Mode::automatic && !points.empty());
  const NoiseLevel level = noise_level(model, is_force ? Property::force : Property::energy, "default");
  if (level.origin == NoiseLevel::Origin::given_rows)
    text = fmt::format("the threshold is relative to a sigma of {:.3g} {}, the root mean square of those that came with the training data",
                       level.sigma, is_force ? "eV/Å" : "eV");
  if (options.mode == Mode::automatic && usable(points).empty())
    text += std::string(text.empty() ? "" : "; ") +
            "no forces of structures that the model does not know are there yet: the threshold takes error bars as they are, uncalibrated";
  return text;
}

PredictionRequest request_of(Quantity quantity) {
  PredictionRequest request;
  request.forces = false;
  request.force_std = quantity == Quantity::force;
  request.local_std = quantity == Quantity::local_energy;
  request.energy_std = quantity == Quantity::energy;
  return request;
}

double error_bar(const Prediction& prediction, Quantity quantity) {
  switch (quantity) {
    case Quantity::force:
      return prediction.forces_std_epistemic.value().maxCoeff();
    case Quantity::local_energy:
      return prediction.local_energy_std_epistemic.value().maxCoeff();
    case Quantity::energy:
      break;
  }
  return prediction.energy_std_epistemic.value() / static_cast<double>(prediction.local_energy.size());
}

}  // namespace gapkit
