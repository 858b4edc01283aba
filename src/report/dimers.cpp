#include <gapkit/core/covalent_radii.hpp>
#include <gapkit/report/report_pages.hpp>

namespace gapkit {
namespace {

/// Of a model that sits on another one: the energy that it adds, so that the other one counts as zero.
Structure dimer(int first, int second, double distance) {
  Structure s;
  s.base[Property::energy] = {0};
  s.atomic_numbers = {first, second};
  s.positions = Positions::Zero(2, 3);
  s.positions(1, 0) = distance;
  return s;
}

}  // namespace

DimerCurve dimer_curve(Predictor& predictor, int first, int second, int points) {
  const bool has_error_bars = predictor.model().has_posterior();
  const double cutoff = predictor.model().cutoff();
  const double from = std::min(0.5 * (covalent_radius(first) + covalent_radius(second)), 0.5 * cutoff);
  const Structure apart = dimer(first, second, 2 * cutoff + 1);
  const double energy_apart = predictor.compute(apart, {.forces = false}).energy;
  DimerCurve curve;
  curve.first = first;
  curve.second = second;
  for (int i = 0; i < points; ++i) {
    const double distance = from + (cutoff - from) * i / std::max(1, points - 1);
    const Structure pair = dimer(first, second, distance);
    curve.distance.push_back(distance);
    if (has_error_bars) {
      const EnergyDifference difference = predictor.difference(apart, pair);
      curve.energy.push_back(difference.energy);
      curve.std.push_back(difference.std_epistemic);
    } else {
      curve.energy.push_back(predictor.compute(pair, {.forces = false}).energy - energy_apart);
    }
  }
  return curve;
}

std::vector<DimerCurve> dimer_curves(const std::shared_ptr<const Model>& model, std::size_t most) {
  Predictor predictor(model);
  std::vector<DimerCurve> curves;
  for (const auto& [first, e1] : model->reference_energies)
    for (const auto& [second, e2] : model->reference_energies)
      if (first <= second && curves.size() < most) curves.push_back(dimer_curve(predictor, first, second));
  return curves;
}

}  // namespace gapkit
