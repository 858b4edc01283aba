#include "predict/bar_factors.hpp"

#include <algorithm>
#include <cmath>

namespace gapkit {

double BarFactors::epistemic_square(const Variance& variance, double unfamiliar) const {
  if (part == EpistemicPart::all) return variance.total();
  return a * a * (part == EpistemicPart::data ? variance.data : variance.jackknife) + unfamiliar;
}

double BarFactors::unfamiliar(const Variance& variance) const {
  return std::max(0.0, variance.novelty - familiar * variance.prior);
}

double BarFactors::bar(double epistemic, double noise) const {
  return std::hypot(part == EpistemicPart::all ? a * epistemic : epistemic, b * noise);
}

BarFactors bar_factors(const Model& model, Property property, const std::string& config_type, int element, bool calibrated) {
  const CalibrationFactors* found = calibrated && model.calibration ? model.calibration->find(property, config_type, element) : nullptr;
  if (!found) return {};
  return {found->a, found->b, found->part, model.calibration->familiar[property]};
}

}  // namespace gapkit
