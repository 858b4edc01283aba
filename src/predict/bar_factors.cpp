#include "predict/bar_factors.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/model/cautious_form.hpp>

namespace gapkit {

double BarFactors::scale(const Variance& structure, int atoms) const {
  return is_cautious() ? cautious_scale(powers, structure.jackknife, atoms) : 1;
}

double BarFactors::scale(std::span<const Variance> components) const {
  return is_cautious() ? cautious_scale(powers, components) : 1;
}

double BarFactors::epistemic_square(const Variance& variance, double scale, double unfamiliar) const {
  if (part == EpistemicPart::all) return variance.total();
  const bool is_data = part == EpistemicPart::data || (is_cautious() && target_info(property).is_per_atom);
  return a * a * scale * (is_data ? variance.data : variance.jackknife) + unfamiliar;
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
  return {found->a, found->b, found->part, model.calibration->familiar[property], property, found->powers};
}

}  // namespace gapkit
