#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/active/threshold.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/model/fewer_points.hpp>

#include "active/noise.hpp"

namespace gapkit {
namespace {

using Mode = ThresholdOptions::Mode;
using Quantity = ThresholdOptions::Quantity;

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::size_t most_points = 100;  // the latest

/// σ of a force (eV/Å) or of an atom's share of the energy (eV).
double sigma_of(const Model& model, Quantity quantity) {
  return noise_unit(model, quantity == Quantity::force ? Property::force : Property::energy, "default");
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

ErrorScale error_scale(const std::vector<CalibrationPoint>& points) {
  std::vector<CalibrationPoint> used = usable(points);
  if (used.empty()) return {};
  if (used.size() > most_points) used.erase(used.begin(), used.end() - most_points);
  HeldOutRows rows;  // one for each structure: every structure counts once, whatever its size
  for (const CalibrationPoint& p : used) {
    rows.error.push_back(std::sqrt(p.error / p.count));
    rows.epistemic.push_back(std::sqrt(p.epistemic / p.count));
    rows.noise.push_back(std::sqrt(p.noise / p.count));
    rows.structure.push_back(static_cast<int>(rows.structure.size()));
  }
  const CalibrationFactors factors = likeliest_factors(rows);
  return {factors.a, factors.b};
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
      threshold.scale = error_scale(points);
      // At this error bar the epistemic part of the force error is as large as the noise.
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
    text = fmt::format("the threshold is relative to a sigma of {:.3g} {}, the root mean square of the sigma given with the training data",
                       level.sigma, is_force ? "eV/Å" : "eV");
  if (options.mode == Mode::automatic && usable(points).empty())
    text +=
        std::string(text.empty() ? "" : "; ") + "there are no forces of unknown structures yet: the threshold uses uncalibrated error bars";
  return text;
}

int error_bar_points(const ThresholdOptions& options, const Model& model) {
  return options.quantity == Quantity::force && !options.all_points ? quick_points(model) : 0;
}

PredictionRequest request_of(Quantity quantity) {
  PredictionRequest request;
  request.forces = false;
  request.force_std = quantity == Quantity::force;
  request.local_std = quantity == Quantity::local_energy;
  request.energy_std = quantity == Quantity::energy;
  request.extrapolation = quantity == Quantity::extrapolation;
  return request;
}

double error_bar(const Prediction& prediction, Quantity quantity) {
  switch (quantity) {
    case Quantity::force:
      return prediction.forces_std_epistemic.value().maxCoeff();
    case Quantity::local_energy:
      return prediction.local_energy_std_epistemic.value().maxCoeff();
    case Quantity::extrapolation:
      return prediction.extrapolation.value().maxCoeff();
    case Quantity::energy:
      break;
  }
  return prediction.energy_std_epistemic.value() / static_cast<double>(prediction.local_energy.size());
}

}  // namespace gapkit
