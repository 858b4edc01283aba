// The error bars of Predictor.

#include <algorithm>
#include <cmath>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/model/noise.hpp>
#include <gapkit/predict/posterior_check.hpp>

#include "predict/bar_factors.hpp"
#include "predict/local_bars.hpp"
#include "predict/predictor_scratch.hpp"

namespace gapkit {
namespace {

// Noise of the rows of a property of a structure; without a structure, of `atoms` atoms with the config type "default".
std::vector<double> noise_of(const Model& model, Property property, const Structure* structure, int atoms) {
  if (structure != nullptr) return row_noise(model, property, *structure);
  return {target_info(property).noise_scale(atoms, model.scale_with_atoms) * noise_level(model, property, "default").sigma};
}

const std::string& config_type_of(const Structure* structure) {
  static const std::string usual = "default";
  return structure != nullptr ? structure->config_type : usual;
}

}  // namespace

Covariance& Predictor::Scratch::posterior(const Model& model) {
  require_posterior(model);
  if (covariance) return *covariance;
  if (error_bar_points > 0 && error_bar_points < model.factor.size())
    reduced = std::make_unique<const Model>(with_fewer_points(model, error_bar_points));
  covariance = std::make_unique<Covariance>(reduced ? *reduced : model);
  return *covariance;
}

// Energies need all points for their jackknife; forces have factors for fewer.
const Model& Predictor::Scratch::model_of(const Model& model, Property property, bool calibrated) {
  posterior(model);
  if (!reduced) return model;
  const CalibrationFactors* found = calibrated && model.calibration ? model.calibration->find(property, "default") : nullptr;
  return found && keeps_all_points(*found) ? model : *reduced;
}

// `used`: from model_of().
Covariance& Predictor::Scratch::covariance_of(const Model& used) {
  if (!reduced || &used == reduced.get()) return *covariance;
  if (!of_all) of_all = std::make_unique<Covariance>(used);
  return *of_all;
}

void Predictor::Scratch::add_error_bars(const Model& model, const Environments& environments, const BarRequest& request,
                                        Prediction& result) {
  if (gives_quip_variance(model, request.targets)) {
    if (!quip_variance) quip_variance = std::make_unique<QuipVariance>(model);
    result.local_quip_variance = quip_variance->local_energies(environments, request.atoms);
    return;
  }
  Observables wanted, apart;  // apart: by other points than the forces
  const bool calibrated = request.targets.calibrated;
  for (const TargetInfo& target : targets()) {
    const bool is_wanted = request.targets.std_of(target.property), is_apart = &model_of(model, target.property, calibrated) == &model;
    wanted.wants(target.property) = is_wanted && !(reduced && is_apart);
    apart.wants(target.property) = is_wanted && reduced && is_apart;
  }
  if (apart.rows(request.atoms) > 0) add_bars(model, environments, request, apart, result);
  if (wanted.rows(request.atoms) > 0) add_bars(reduced ? *reduced : model, environments, request, wanted, result);
  add_local(model, environments, request, result);
}

// Grades always have all points, as their thresholds do.
void Predictor::Scratch::add_local(const Model& model, const Environments& environments, const BarRequest& request, Prediction& result) {
  PredictionRequest part = request.targets;
  const auto elements = environments.atomic_number.first(static_cast<std::size_t>(request.atoms));
  if (part.extrapolation && is_reduced(model)) {
    set_local(model, elements, covariance_of(model).local_energies(environments, request.atoms), {.extrapolation = true}, result);
    part.extrapolation = false;
  }
  if (part.local_std || part.extrapolation) set_local(model, elements, local_energies(model, environments, request.atoms), part, result);
}

// `model`: the one of these rows.
void Predictor::Scratch::add_bars(const Model& model, const Environments& environments, const BarRequest& request,
                                  const Observables& wanted, Prediction& result) {
  const int atoms = request.atoms;
  const bool calibrated = request.targets.calibrated;
  const std::string& config_type = config_type_of(request.structure);
  Covariance& c = covariance_of(model);
  Matrix cross;
  const bool has_cross = request.targets.force_covariance && wanted.forces;
  const BarFactors of_forces = bar_factors(model, Property::force, config_type, 0, calibrated);
  c.add_force_jackknife(of_forces.needs_force_jackknife());
  c.use_single_precision(of_forces.part == EpistemicPart::data);
  const std::vector<Variance> variances = c.observables(environments, atoms, wanted, has_cross ? &cross : nullptr);
  const auto std_of_row = [&](Property property, Eigen::Index row) {
    const BarFactors factors = bar_factors(model, property, config_type, 0, calibrated);
    const Variance& variance = variances[static_cast<std::size_t>(row)];
    return std::sqrt(factors.epistemic_square(variance, factors.scale(variance, environments.size())));
  };
  if (wanted.energy) {
    result.energy_std_epistemic = std_of_row(Property::energy, 0);
    if (!result.novelty || !request.targets.force_std) result.novelty = novelty_fraction({variances.data(), 1});
  }
  if (wanted.forces) {
    Positions& std = result.forces_std_epistemic.emplace(atoms, 3);
    double worst = 0;
    for (int i = 0; i < atoms; ++i) {
      const auto components = std::span(variances).subspan(static_cast<std::size_t>(wanted.forces_row() + 3 * i), 3);
      const int element = environments.atomic_number[static_cast<std::size_t>(i)];
      const BarFactors factors = bar_factors(model, Property::force, config_type, element, calibrated);
      const double scale = factors.scale(components);
      for (Eigen::Index a = 0; a < 3; ++a) std(i, a) = std::sqrt(factors.epistemic_square(components[static_cast<std::size_t>(a)], scale));
      worst = std::max(worst, novelty_fraction(components));
      if (has_cross) cross.row(i) *= factors.a * factors.a * scale;
    }
    result.novelty = worst;
    if (has_cross) result.forces_covariance.emplace(Matrix::Zero(atoms, 6)).rightCols(3) = cross;
  }
  if (wanted.virial) {
    Voigt& std = result.virial_std_epistemic.emplace();
    for (Eigen::Index i = 0; i < 6; ++i) std[i] = std_of_row(Property::virial, wanted.virial_row(atoms) + i);
  }
}

// Error bars from their epistemic part. `atoms`: number of atoms of the energy.
void Predictor::Scratch::add_noise(const Model& model, std::span<const int> elements, int atoms, const BarRequest& request,
                                   Prediction& result) {
  result.energy_std = result.energy_std_epistemic;
  result.forces_std = result.forces_std_epistemic;
  result.virial_std = result.virial_std_epistemic;
  const std::string& config_type = config_type_of(request.structure);
  for (const TargetInfo& target : targets()) {
    const std::span<double> bars = result.std_of(target.property);
    if (bars.empty()) continue;
    const bool calibrated = request.targets.calibrated;
    const Model& used = model_of(model, target.property, calibrated);
    const std::vector<double> noise = noise_of(model, target.property, request.structure, atoms);
    for (std::size_t i = 0; i < bars.size(); ++i)
      bars[i] = bar_factors(used, target.property, config_type, target.property == Property::force ? elements[i / 3] : 0, calibrated)
                    .bar(bars[i], noise[noise.size() == 1 ? 0 : i]);
  }
  if (result.forces_covariance) result.forces_covariance->leftCols(3) = result.forces_std->cwiseAbs2();
}

EnergyDifference Predictor::difference(const Structure& a, const Structure& b, bool calibrated, bool keep_not_finite) {
  const PredictionRequest request{.forces = false, .keep_not_finite = keep_not_finite};
  const Prediction of_a = compute(a, request), of_b = compute(b, request);
  EnergyDifference result{.energy = of_b.energy - of_a.energy,
                          .closeness_a = of_a.closeness,
                          .closeness_b = of_b.closeness,
                          .is_finite_a = of_a.is_finite,
                          .is_finite_b = of_b.is_finite};
  if (!result.is_finite()) return result;
  const StructureEnvironments ea(a, model_->cutoff()), eb(b, model_->cutoff());
  const Model& used = scratch_->model_of(*model_, Property::energy, calibrated);
  Covariance& covariance = scratch_->covariance_of(used);
  const Variance variance = covariance.energy_difference(ea.view(), eb.view());
  // For two config types with factors of their own, the epistemic part takes the larger factor.
  const BarFactors fa = bar_factors(used, Property::energy, a.config_type, 0, calibrated);
  const BarFactors fb = bar_factors(used, Property::energy, b.config_type, 0, calibrated);
  const BarFactors& larger = fa.a >= fb.a ? fa : fb;
  double unfamiliar = 0;  // at most what the two energies have: a difference has little prior variance
  if (larger.part != EpistemicPart::all) {
    const double of_each = std::sqrt(larger.unfamiliar(covariance.total_energy(ea.view(), a.size()))) +
                           std::sqrt(larger.unfamiliar(covariance.total_energy(eb.view(), b.size())));
    unfamiliar = std::min(variance.novelty, of_each * of_each);
  }
  const double scale = larger.scale(variance, std::max(a.size(), b.size()));
  result.std_epistemic = std::sqrt(larger.epistemic_square(variance, scale, unfamiliar));
  result.std = std::hypot(larger.bar(result.std_epistemic, 0), fa.b * row_noise(*model_, Property::energy, a).front(),
                          fb.b * row_noise(*model_, Property::energy, b).front());
  scratch_->field_bars.add(a, b, calibrated, result);
  return result;
}

}  // namespace gapkit
