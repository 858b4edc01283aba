#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/noise.hpp>
#include <gapkit/model/quip_variance.hpp>
#include <gapkit/potentials/pair_sums.hpp>
#include <gapkit/predict/known_elements.hpp>
#include <gapkit/predict/posterior_check.hpp>
#include <gapkit/predict/predictor.hpp>

#include "predict/add_base.hpp"
#include "predict/bar_factors.hpp"
#include "predict/density_check.hpp"
#include "predict/environments_of_many.hpp"
#include "predict/finite_check.hpp"
#include "predict/property_predictor.hpp"
#include "predict/term_potential.hpp"

namespace gapkit {
namespace {

std::string name_of(const Structure& structure) {
  return structure.source.empty() ? "structure" : structure.source;
}

// Noise of the rows of a property of a structure; without a structure, of `atoms` atoms with the config type "default".
std::vector<double> noise_of(const Model& model, Property property, const Structure* structure, int atoms) {
  if (structure != nullptr) return row_noise(model, property, *structure);
  return {target_info(property).noise_scale(atoms, model.scale_with_atoms) * noise_level(model, property, "default").sigma};
}

const std::string& config_type_of(const Structure* structure) {
  static const std::string usual = "default";
  return structure != nullptr ? structure->config_type : usual;
}

Vector std_of(std::span<const Variance> variances) {
  Vector result(static_cast<Eigen::Index>(variances.size()));
  for (std::size_t i = 0; i < variances.size(); ++i) result[static_cast<Eigen::Index>(i)] = std::sqrt(variances[i].total());
  return result;
}

// Novelty over prior of some observables together; 0 without any prior.
double novelty_fraction(std::span<const Variance> variances) {
  double novelty = 0, prior = 0;
  for (const Variance& v : variances) {
    novelty += v.novelty;
    prior += v.prior;
  }
  constexpr double vanishing = 1e-10;  // eV², (eV/Å)²: zero by symmetry
  return prior > vanishing ? novelty / prior : 0;
}

}  // namespace

// Error bars of forces on atoms 0 … atoms − 1 and of other targets; without a structure the config type is "default".
struct BarRequest {
  const PredictionRequest& targets;
  const Structure* structure;
  int atoms;
};

struct Predictor::Scratch {
  Scratch(const Model& model, int points) : potentials(model.baselines), properties(model), error_bar_points(points) {
    const auto offsets = sparse_offsets(model.terms);
    for (std::size_t t = 0; t < model.terms.size(); ++t) {
      const Vector weights = model.weights.segment(offsets[t], model.terms[t].sparse.size());
      terms.push_back(std::make_shared<TermPotential>(model.terms[t], weights));
      potentials.push_back(terms.back());
    }
  }

  std::vector<PotentialPointer> potentials;           // the mean is their sum: baselines, then terms
  std::vector<std::shared_ptr<TermPotential>> terms;  // the same terms: error bars use their features
  PropertyPredictors properties;
  std::vector<Vector3> dE_dr;  // of each pair: derivative of the energy of the centre
  int error_bar_points;
  std::unique_ptr<const Model> reduced;            // of error_bar_points, if the model has more
  std::unique_ptr<Covariance> covariance, of_all;  // of_all: of all points, if some error bars need them and others have fewer
  std::unique_ptr<QuipVariance> quip_variance;
  Covariance::LocalRows local_rows;
  std::vector<Variance> local;  // of the centres, if evaluate() has computed them

  /// The model whose points give the error bars of a target, and its covariance.
  const Model& model_of(const Model& model, Property property, bool calibrated);
  Covariance& posterior(const Model& model);
  Covariance& covariance_of(const Model& used);
  void add_error_bars(const Model& model, const Environments& environments, const BarRequest& request, Prediction& result);
  void add_bars(const Model& model, const Environments& environments, const BarRequest& request, const Observables& wanted,
                Prediction& result);
  void add_noise(const Model& model, std::span<const int> elements, int atoms, const BarRequest& request, Prediction& result);
  Prediction evaluate(const Model& model, const Environments& environments, int atoms, const PredictionRequest& request);
  void finish(const Environments& environments, std::size_t first_pair, const Structure* structure, const PredictionRequest& request,
              Prediction& result) const;
  void add_atom_virial(const Environments& environments, std::size_t first_pair, Prediction& result) const;
  bool begin_local_std(const Model& model, const Environments& environments, const PredictionRequest& request);
  std::vector<Variance> local_energies(const Model& model, const Environments& environments, int atoms);
};

Predictor::Predictor(std::shared_ptr<const Model> model, int error_bar_points)
    : model_(std::move(model)), scratch_(std::make_unique<Scratch>(*model_, error_bar_points)) {}

Predictor::~Predictor() = default;

Prediction Predictor::compute(const Structure& structure, const PredictionRequest& request) {
  check_elements(*model_, structure);
  const StructureEnvironments environments(structure, model_->cutoff());
  return compute(structure, environments.view(), request);
}

Prediction Predictor::compute(const Structure& structure, const Environments& environments, const PredictionRequest& request) {
  check_elements(*model_, structure);
  Prediction prediction = scratch_->evaluate(*model_, environments, structure.size(), request);
  scratch_->finish(environments, 0, &structure, request, prediction);
  check_mean(prediction, *model_, environments, request, name_of(structure));
  if (!prediction.is_finite) return prediction;
  add_base(*model_, structure, request, prediction);
  if (request.error_bars()) {
    check_density(environments, structure.size(), name_of(structure));
    const BarRequest bars{request, &structure, structure.size()};
    scratch_->add_error_bars(*model_, environments, bars, prediction);
    check_error_bars(prediction, request, name_of(structure));
    scratch_->add_noise(*model_, structure.atomic_numbers, structure.size(), bars, prediction);
  }
  scratch_->properties.add(structure, request, prediction);
  return prediction;
}

Prediction Predictor::compute(const Environments& environments, int atoms, const PredictionRequest& request) {
  require_difference(*model_, request);
  check_elements(*model_, environments);
  for (const PotentialPointer& p : scratch_->potentials)
    if (p->needs_structure())
      throw InputError("the model's baseline '" + p->name() + "' needs the whole structure: environments alone do not give its energy");
  Prediction prediction = scratch_->evaluate(*model_, environments, atoms, request);
  scratch_->finish(environments, 0, nullptr, request, prediction);
  check_mean(prediction, *model_, environments, request, "environments");
  if (!prediction.is_finite) return prediction;
  if (request.error_bars()) {
    check_density(environments, environments.size(), "environments");
    const BarRequest bars{request, nullptr, atoms};
    scratch_->add_error_bars(*model_, environments, bars, prediction);
    check_error_bars(prediction, request, "environments");
    scratch_->add_noise(*model_, environments.atomic_number, environments.size(), bars, prediction);
  }
  return prediction;
}

Prediction Predictor::error_bars(const Environments& environments, int atoms, const PredictionRequest& request) {
  check_elements(*model_, environments);
  check_density(environments, environments.size(), "environments");
  scratch_->local.clear();  // may belong to other environments
  Prediction prediction;
  const BarRequest bars{request, nullptr, atoms};
  scratch_->add_error_bars(*model_, environments, bars, prediction);
  check_error_bars(prediction, request, "environments");
  scratch_->add_noise(*model_, environments.atomic_number, environments.size(), bars, prediction);
  return prediction;
}

std::vector<Prediction> Predictor::compute(std::span<const Structure> structures, const PredictionRequest& request) {
  std::vector<Prediction> result;
  if (structures.size() == 1) {
    result.push_back(compute(structures[0], request));
    return result;
  }
  for (const Structure& structure : structures) check_elements(*model_, structure);
  const EnvironmentsOfMany all(structures, model_->cutoff());
  Scratch& s = *scratch_;
  const Prediction together = s.evaluate(*model_, all.view(), all.view().size(), request);
  PredictionRequest alone = request;  // the part computed structure by structure
  std::vector<Variance> local;
  if (request.local_std && model_->has_posterior()) {
    local = s.local_energies(*model_, all.view(), all.view().size());
    alone.local_std = false;
  }
  for (std::size_t k = 0; k < structures.size(); ++k) {
    const int first = all.first_atom(k), atoms = structures[k].size();
    Prediction& prediction = result.emplace_back();
    prediction.local_energy = together.local_energy.segment(first, atoms);
    if (request.forces) prediction.forces = together.forces->middleRows(first, atoms);
    s.finish(all.part(k), all.first_pair(k), &structures[k], request, prediction);
    for (const std::size_t t : together.unsampled_terms)
      if (s.terms[t]->has_environments(all.part(k))) prediction.unsampled_terms.push_back(t);
    check_mean(prediction, *model_, all.part(k), request, name_of(structures[k]));
    if (!prediction.is_finite) continue;
    add_base(*model_, structures[k], request, prediction);
    s.properties.add(structures[k], request, prediction);
    if (request.error_bars()) check_density(all.part(k), atoms, name_of(structures[k]));
    const BarRequest bars{alone, &structures[k], atoms};
    if (alone.error_bars()) s.add_error_bars(*model_, all.part(k), bars, prediction);
    if (request.local_std && !alone.local_std)
      prediction.local_energy_std_epistemic =
          std_of(std::span(local).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(atoms)));
    check_error_bars(prediction, request, name_of(structures[k]));
    s.add_noise(*model_, structures[k].atomic_numbers, atoms, bars, prediction);
  }
  return result;
}

// If mean and error bars have the same sparse points, the rows of local energies come from the terms' features.
bool Predictor::Scratch::begin_local_std(const Model& model, const Environments& environments, const PredictionRequest& request) {
  local.clear();
  const bool is_shared = request.local_std && model.has_posterior() && posterior(model).fits_local(environments) && reduced == nullptr;
  for (std::size_t t = 0; t < terms.size(); ++t)
    terms[t]->observe(!is_shared ? TermPotential::Observer() : [this, t](const Environments& all, const CentreFeatures& part) {
      covariance->add_local(t, all, part, local_rows);
    });
  if (is_shared) covariance->begin_local(environments, local_rows);
  return is_shared;
}

// Local parts: shares of the energy and forces; finish() adds the rest.
Prediction Predictor::Scratch::evaluate(const Model& model, const Environments& environments, int atoms, const PredictionRequest& request) {
  Prediction result;
  result.local_energy = Vector::Zero(atoms);
  for (const int i : environments.centre)
    result.local_energy[i] += model.reference_energies.at(environments.atomic_number[static_cast<std::size_t>(i)]);
  dE_dr.assign(request.forces ? environments.neighbor.size() : 0, Vector3::Zero());

  for (const auto& term : terms) term->use_single_precision(request.single_precision && !request.error_bars());
  const bool with_local_std = begin_local_std(model, environments, request);
  for (const PotentialPointer& p : potentials) p->add(environments, {result.local_energy.data(), static_cast<std::size_t>(atoms)}, dE_dr);
  if (with_local_std) local = covariance->finish_local(local_rows);
  for (std::size_t t = 0; t < terms.size(); ++t)
    if (!terms[t]->is_sampled() && terms[t]->has_environments(environments)) result.unsampled_terms.push_back(t);
  if (request.forces) add_pair_forces(environments, dE_dr, result.forces.emplace(Positions::Zero(atoms, 3)));
  return result;
}

// Virial from the derivatives by the pairs from `first_pair` on, structure-level parts, and the energy. `structure` may be null if no
// potential needs it.
void Predictor::Scratch::finish(const Environments& environments, std::size_t first_pair, const Structure* structure,
                                const PredictionRequest& request, Prediction& result) const {
  if (result.forces) result.virial = pair_virial(environments.vector, std::span(dE_dr).subspan(first_pair, environments.vector.size()));
  if (result.forces && request.atom_virial) add_atom_virial(environments, first_pair, result);
  StructureSums sums{.local_energy = {result.local_energy.data(), static_cast<std::size_t>(result.local_energy.size())}};
  if (result.forces) {
    sums.forces = &*result.forces;
    sums.virial = &*result.virial;
  }
  for (const PotentialPointer& p : potentials)
    if (p->needs_structure()) p->add_structure(*structure, sums);
  result.energy = result.local_energy.sum();
}

void Predictor::Scratch::add_atom_virial(const Environments& environments, std::size_t first_pair, Prediction& result) const {
  for (const PotentialPointer& p : potentials)
    if (p->needs_structure()) throw InputError("the model's baseline '" + p->name() + "' has no virials of atoms: leave them out");
  std::vector<Matrix3>& virials = result.atom_virial.emplace(static_cast<std::size_t>(result.local_energy.size()), Matrix3::Zero());
  for (std::size_t c = 0; c < environments.centre.size(); ++c) {
    const std::size_t begin = environments.begin[c], count = environments.begin[c + 1] - begin;
    virials[static_cast<std::size_t>(environments.centre[c])] +=
        pair_virial(environments.vector.subspan(begin, count), std::span(dE_dr).subspan(first_pair + begin, count));
  }
}

// After evaluate() of the same environments.
std::vector<Variance> Predictor::Scratch::local_energies(const Model& model, const Environments& environments, int atoms) {
  if (local.empty()) return posterior(model).local_energies(environments, atoms);
  std::vector<Variance> result(static_cast<std::size_t>(atoms));
  for (std::size_t c = 0; c < local.size(); ++c) result.at(static_cast<std::size_t>(environments.centre[c])) = local[c];
  return result;
}

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
  const bool needs_all = bar_factors(model, property, "default", 0, calibrated).part == EpistemicPart::jackknife;
  return needs_all ? model : *reduced;
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
  if (request.targets.local_std) result.local_energy_std_epistemic = std_of(local_energies(model, environments, request.atoms));
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
  const std::vector<Variance> variances = c.observables(environments, atoms, wanted, has_cross ? &cross : nullptr);
  const auto std_of_row = [&](Property property, Eigen::Index row, int element) {
    return std::sqrt(
        bar_factors(model, property, config_type, element, calibrated).epistemic_square(variances[static_cast<std::size_t>(row)]));
  };
  if (wanted.energy) {
    result.energy_std_epistemic = std_of_row(Property::energy, 0, 0);
    if (!result.novelty || !request.targets.force_std) result.novelty = novelty_fraction({variances.data(), 1});
  }
  if (wanted.forces) {
    Positions& std = result.forces_std_epistemic.emplace(atoms, 3);
    double worst = 0;
    for (int i = 0; i < atoms; ++i) {
      const Eigen::Index first = wanted.forces_row() + 3 * i;
      const int element = environments.atomic_number[static_cast<std::size_t>(i)];
      for (Eigen::Index a = 0; a < 3; ++a) std(i, a) = std_of_row(Property::force, first + a, element);
      worst = std::max(worst, novelty_fraction(std::span(variances).subspan(static_cast<std::size_t>(first), 3)));
      if (has_cross) cross.row(i) *= std::pow(bar_factors(model, Property::force, config_type, element, calibrated).a, 2);
    }
    result.novelty = worst;
    if (has_cross) result.forces_covariance.emplace(Matrix::Zero(atoms, 6)).rightCols(3) = cross;
  }
  if (wanted.virial) {
    Voigt& std = result.virial_std_epistemic.emplace();
    for (Eigen::Index i = 0; i < 6; ++i) std[i] = std_of_row(Property::virial, wanted.virial_row(atoms) + i, 0);
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
  result.std_epistemic = std::sqrt(larger.epistemic_square(variance, unfamiliar));
  result.std = std::hypot(larger.bar(result.std_epistemic, 0), fa.b * row_noise(*model_, Property::energy, a).front(),
                          fb.b * row_noise(*model_, Property::energy, b).front());
  return result;
}

}  // namespace gapkit
