#include "predict/property_predictor.hpp"

#include <gapkit/model/covariance.hpp>
#include <gapkit/model/noise.hpp>
#include <gapkit/potentials/charge_equilibration.hpp>
#include <gapkit/potentials/long_range.hpp>
#include <gapkit/predict/posterior_check.hpp>

#include "predict/bar_factors.hpp"
#include "predict/density_check.hpp"
#include "predict/tensor_predictor.hpp"

namespace gapkit {
namespace {

bool is_fitted(const Model& field, Property property) {
  for (const RowGroup& group : field.posterior.groups)
    if (group.property == property) return true;
  return false;
}

/// Error bars of rows of a target: the epistemic part, and with the noise.
struct Bars {
  Vector epistemic, whole;
};

Bars bars_of(const Model& field, Property property, const Structure& structure, std::span<const Variance> variances, bool calibrated) {
  const std::vector<double> noise = row_noise(field, property, structure);
  const auto count = static_cast<Eigen::Index>(variances.size());
  Bars bars{Vector(count), Vector(count)};
  for (std::size_t i = 0; i < variances.size(); ++i) {
    const int element = property == Property::value ? structure.atomic_numbers[i] : 0;
    const BarFactors factors = bar_factors(field, property, structure.config_type, element, calibrated);
    const auto row = static_cast<Eigen::Index>(i);
    bars.epistemic[row] = std::sqrt(factors.epistemic_square(variances[i], factors.scale(variances[i], structure.size())));
    bars.whole[row] = factors.bar(bars.epistemic[row], noise[i]);
  }
  return bars;
}

}  // namespace

struct PropertyPredictors::Entry {
  explicit Entry(const FittedProperty& property)
      : keys(property.keys), equilibration(property.equilibration), field(property.field), values(property) {}

  PropertyKeys keys;
  std::optional<Equilibration> equilibration;
  std::shared_ptr<const Model> field;
  FieldValues values;
  std::unique_ptr<Covariance> covariance = {};

  PropertyPrediction compute(const Structure& structure, const PredictionRequest& request);
  /// Charges of the electronegativities, and on request their derivatives by these.
  Vector equilibrated(const Structure& structure, const Vector& electronegativity, bool with_response);
  void add_bars(const Structure& structure, const Environments& environments, bool calibrated, PropertyPrediction& result);

  Matrix response = {};  // of the last structure; empty without equilibration
};

PropertyPrediction PropertyPredictors::Entry::compute(const Structure& structure, const PredictionRequest& request) {
  const StructureEnvironments environments(structure, values.cutoff());
  PropertyPrediction result;
  result.name = keys.name;
  result.values = values.compute(environments.view(), structure.size(), false, structure.place());
  if (equilibration) result.values = equilibrated(structure, result.values, request.property_std);
  result.total = result.values.sum();
  const bool has_dipole = !keys.dipole.empty() && target_info(Property::dipole).can_be_fitted(structure);
  const Observables dipole{.energy = false, .forces = false, .virial = false, .dipole = true};
  if (has_dipole) result.dipole = local_weights(dipole, structure.positions) * result.values;
  if (request.property_std) add_bars(structure, environments.view(), request.calibrated, result);
  return result;
}

Vector PropertyPredictors::Entry::equilibrated(const Structure& structure, const Vector& electronegativity, bool with_response) {
  const ChargeEquilibration solution = equilibration_of(structure, *equilibration);
  response.resize(with_response ? structure.size() : 0, with_response ? structure.size() : 0);
  for (Eigen::Index i = 0; i < response.cols(); ++i) response.col(i) = -solution.response(Vector::Unit(response.rows(), i));
  return solution.charges(electronegativity, total_charge_of(structure, keys.total.empty() ? "total_charge" : keys.total));
}

void PropertyPredictors::Entry::add_bars(const Structure& structure, const Environments& environments, bool calibrated,
                                         PropertyPrediction& result) {
  require_posterior(*field);
  check_density(environments, structure.size(), structure.source.empty() ? "structure" : structure.source);
  if (!covariance) covariance = std::make_unique<Covariance>(*field);
  const std::vector<Variance> of_values =
      equilibration ? covariance->weighted_sums(environments, response) : covariance->local_energies(environments, structure.size());
  const Bars bars = bars_of(*field, Property::value, structure, of_values, calibrated);
  result.std_epistemic = bars.epistemic;
  result.std = bars.whole;
  Observables wanted = Observables::none();
  wanted.total = is_fitted(*field, Property::total);
  wanted.dipole = result.dipole.has_value();
  Matrix weights = local_weights(wanted, structure.positions);
  if (equilibration) weights = Matrix(weights * response);
  if (weights.rows() == 0) return;
  const std::vector<Variance> of_sums = covariance->weighted_sums(environments, weights);
  if (wanted.total) {
    const Bars total = bars_of(*field, Property::total, structure, {of_sums.data(), 1}, calibrated);
    result.total_std_epistemic = total.epistemic[0];
    result.total_std = total.whole[0];
  }
  if (wanted.dipole) {
    const Bars dipole = bars_of(*field, Property::dipole, structure, std::span(of_sums).last(3), calibrated);
    result.dipole_std_epistemic = Vector3(dipole.epistemic);
    result.dipole_std = Vector3(dipole.whole);
  }
}

PropertyPredictors::PropertyPredictors(const Model& model) : model_(model) {
  for (const FittedProperty& property : model.properties) entries_.emplace_back(property);
}

PropertyPredictors::~PropertyPredictors() = default;

void PropertyPredictors::add(const Structure& structure, const PredictionRequest& request, Prediction& prediction) {
  if (request.tensors && !model_.tensors.empty()) {
    if (!tensors_) tensors_ = std::make_unique<TensorPredictors>(model_);
    tensors_->add(structure, request, prediction);
  }
  if (!request.properties) return;
  for (Entry& entry : entries_) prediction.properties.push_back(entry.compute(structure, request));
}

}  // namespace gapkit
