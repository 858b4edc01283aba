#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <gapkit/potentials/pair_sums.hpp>
#include <gapkit/predict/known_elements.hpp>
#include <gapkit/predict/posterior_check.hpp>
#include <gapkit/predict/predictor.hpp>

#include "predict/add_base.hpp"
#include "predict/bar_factors.hpp"
#include "predict/density_check.hpp"
#include "predict/environments_of_many.hpp"
#include "predict/finite_check.hpp"
#include "predict/local_bars.hpp"
#include "predict/predictor_scratch.hpp"

namespace gapkit {
namespace {

std::string name_of(const Structure& structure) {
  return structure.source.empty() ? "structure" : structure.source;
}

}  // namespace

Predictor::Predictor(std::shared_ptr<const Model> model, int error_bar_points)
    : model_(std::move(model)), scratch_(std::make_unique<Scratch>(*model_, error_bar_points)) {
  if (error_bar_points > 0 && model_->has_posterior()) check_points(*model_, error_bar_points);
}

Predictor::~Predictor() = default;

Prediction Predictor::compute(const Structure& structure, const PredictionRequest& request) {
  check_elements(*model_, structure);
  const StructureEnvironments environments(structure, model_->cutoff());
  return compute(structure, environments.view(), request);
}

Prediction Predictor::compute(const Structure& structure, const Environments& environments, const PredictionRequest& request) {
  check_request(*model_, structure, name_of(structure), request);
  Prediction prediction = scratch_->evaluate(*model_, environments, structure.size(), request);
  scratch_->finish(environments, 0, &structure, request, prediction);
  check_mean(prediction, *model_, environments, request, name_of(structure));
  if (!prediction.is_finite) return prediction;
  add_base(*model_, structure, request, prediction);
  if (request.needs_posterior()) {
    check_density(environments, structure.size(), name_of(structure));
    const BarRequest bars{request, &structure, structure.size()};
    scratch_->add_error_bars(*model_, environments, bars, prediction);
    check_error_bars(prediction, request, name_of(structure));
    scratch_->add_noise(*model_, structure.atomic_numbers, structure.size(), bars, prediction);
    scratch_->field_bars.add(structure, request, prediction);
  }
  scratch_->properties.add(structure, request, prediction);
  return prediction;
}

Prediction Predictor::compute(const Environments& environments, int atoms, const PredictionRequest& request) {
  require_difference(*model_, request);
  check_request(*model_, environments, request);
  for (const PotentialPointer& p : scratch_->potentials)
    if (p->needs_structure())
      throw InputError("the model's part '" + p->name() + "' needs the whole structure: environments alone do not give its energy");
  Prediction prediction = scratch_->evaluate(*model_, environments, atoms, request);
  scratch_->finish(environments, 0, nullptr, request, prediction);
  check_mean(prediction, *model_, environments, request, "environments");
  if (!prediction.is_finite) return prediction;
  if (request.needs_posterior()) {
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
  for (const Structure& structure : structures) check_request(*model_, structure, name_of(structure), request);
  const EnvironmentsOfMany all(structures, model_->cutoff());
  Scratch& s = *scratch_;
  const Prediction together = s.evaluate(*model_, all.view(), all.view().size(), request);
  PredictionRequest alone = request;  // the part computed structure by structure
  std::vector<Variance> local;
  if ((request.local_std || request.extrapolation) && model_->has_posterior() && !s.is_reduced(*model_)) {
    local = s.local_energies(*model_, all.view(), all.view().size());
    alone.local_std = alone.extrapolation = false;
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
    if (request.needs_posterior()) check_density(all.part(k), atoms, name_of(structures[k]));
    const BarRequest bars{alone, &structures[k], atoms};
    if (alone.needs_posterior()) s.add_error_bars(*model_, all.part(k), bars, prediction);
    if (!local.empty())
      set_local(*model_, structures[k].atomic_numbers,
                std::span(local).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(atoms)), request, prediction);
    check_error_bars(prediction, request, name_of(structures[k]));
    s.add_noise(*model_, structures[k].atomic_numbers, atoms, bars, prediction);
    s.field_bars.add(structures[k], request, prediction);
  }
  return result;
}

// If mean and error bars have the same sparse points, the rows of local energies come from the terms' features.
bool Predictor::Scratch::begin_local_std(const Model& model, const Environments& environments, const PredictionRequest& request) {
  local.clear();
  const bool is_shared = (request.local_std || request.extrapolation) && model.has_posterior() &&
                         posterior(model).fits_local(environments) && reduced == nullptr;
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

  for (const auto& term : terms) term->use_single_precision(request.single_precision && !request.needs_posterior());
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
    if (p->needs_structure()) throw InputError("the model's part '" + p->name() + "' has no virials of atoms: leave them out");
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

}  // namespace gapkit
