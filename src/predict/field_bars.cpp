#include "predict/field_bars.hpp"

#include <algorithm>
#include <cmath>

#include "predict/bar_factors.hpp"
#include "predict/environments_of_many.hpp"

namespace gapkit {

struct FieldBars::Entry {
  PotentialPointer potential;
  std::shared_ptr<const Model> field;
  std::unique_ptr<Covariance> covariance = {};

  /// Of Σ λ_i v_i over the atoms of all structures, eV².
  double variance(std::span<const Structure> structures, const Vector& slopes, bool calibrated) {
    if (!covariance) covariance = std::make_unique<Covariance>(*field);
    const EnvironmentsOfMany environments(structures, field->cutoff());
    const Variance variance = covariance->weighted_sums(environments.view(), slopes.transpose()).front();
    const BarFactors factors = bar_factors(*field, Property::value, structures.back().config_type, 0, calibrated);
    const double square = factors.epistemic_square(variance, factors.scale(variance, static_cast<int>(slopes.size())));
    return factors.part == EpistemicPart::all ? factors.a * factors.a * square : square;
  }

  Vector slopes(const Structure& structure) const { return field_dependence(*potential)->slopes(structure); }
};

FieldBars::FieldBars(const Model& model) {
  for (const PotentialPointer& potential : model.baselines) {
    const FieldDependence* dependence = field_dependence(*potential);
    if (!dependence) continue;
    const auto found = std::find_if(model.properties.begin(), model.properties.end(),
                                    [&](const FittedProperty& p) { return p.keys.name == dependence->property(); });
    if (found != model.properties.end() && found->field->calibration && found->field->calibration->covers(Property::value))
      entries_.push_back({potential, found->field});
  }
}

FieldBars::~FieldBars() = default;

void FieldBars::add(const Structure& structure, const PredictionRequest& request, Prediction& prediction) {
  if (!prediction.energy_std) return;
  double variance = 0;
  for (Entry& entry : entries_) variance += entry.variance({&structure, 1}, entry.slopes(structure), request.calibrated);
  for (std::optional<double>* bar : {&prediction.energy_std, &prediction.energy_std_epistemic})
    if (*bar) *bar = std::hypot(**bar, std::sqrt(variance));
}

void FieldBars::add(const Structure& a, const Structure& b, bool calibrated, EnergyDifference& difference) {
  double variance = 0;
  for (Entry& entry : entries_) {
    Vector slopes(a.size() + b.size());
    slopes << -entry.slopes(a), entry.slopes(b);
    variance += entry.variance(std::vector<Structure>{a, b}, slopes, calibrated);
  }
  for (double* bar : {&difference.std, &difference.std_epistemic}) *bar = std::hypot(*bar, std::sqrt(variance));
}

}  // namespace gapkit
