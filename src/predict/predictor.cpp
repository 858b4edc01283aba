#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/predict/predictor.hpp>

#include "model/environment_chunks.hpp"
#include "model/quip_variance.hpp"

namespace gapkit {
namespace {

constexpr std::size_t chunk_pairs = 8192;  // pairs or triplets in a chunk of centres: feature and kernel matrices stay in the cache

struct Factors {
  double a = 1, b = 1;
};

Factors factors_of(const Model& model, Property property, const std::string& config_type, bool calibrated) {
  const CalibrationFactors* found = calibrated && model.calibration ? model.calibration->find(property, config_type) : nullptr;
  return found ? Factors{found->a, found->b} : Factors{};
}

// Error bars from their epistemic part.
void add_noise(Prediction& prediction, const Model& model, const Structure& structure, bool calibrated) {
  const auto widened = [&](Property property) {
    const Factors f = factors_of(model, property, structure.config_type, calibrated);
    return [a = f.a, noise = f.b * fitted_noise(model, property, structure)](double epistemic) { return std::hypot(a * epistemic, noise); };
  };
  if (prediction.energy_std_epistemic) prediction.energy_std = widened(Property::energy)(*prediction.energy_std_epistemic);
  if (prediction.forces_std_epistemic) prediction.forces_std = prediction.forces_std_epistemic->unaryExpr(widened(Property::force));
  if (prediction.virial_std_epistemic) prediction.virial_std = prediction.virial_std_epistemic->unaryExpr(widened(Property::virial));
}

// `atom` counts from 0.
[[noreturn]] void throw_unknown_element(const Model& model, const std::string& where, int atom, int atomic_number) {
  std::string known;
  for (const auto& [element, e0] : model.reference_energies) known += (known.empty() ? "" : ", ") + element_symbol(element);
  throw InputError(where + ": atom " + std::to_string(atom + 1) + " is " + element_symbol(atomic_number) +
                   ", which the model does not know (it knows " + known + ")");
}

// Descriptors ignore neighbours of elements that they do not know, so somebody must look at them.
void check_elements(const Model& model, const Environments& environments) {
  const auto check = [&](int atom) {
    const int z = environments.atomic_number[static_cast<std::size_t>(atom)];
    if (!model.knows(z)) throw_unknown_element(model, "environments", atom, z);
  };
  for (std::size_t c = 0; c < environments.centre.size(); ++c) {
    check(environments.centre[c]);
    for (std::size_t p = environments.begin[c]; p < environments.begin[c + 1]; ++p) check(environments.neighbor[p]);
  }
}

void check_finite(const Prediction& prediction, const std::string& where) {
  if (!std::isfinite(prediction.energy) || (prediction.forces && !prediction.forces->allFinite()))
    throw NumericalError(where + ": the predicted energy or a force is not finite");
}

// Novelty over prior of some observables together; 0 where there is nothing to predict.
double novelty_fraction(std::span<const Variance> variances) {
  double novelty = 0, prior = 0;
  for (const Variance& v : variances) {
    novelty += v.novelty;
    prior += v.prior;
  }
  constexpr double vanishing = 1e-10;  // eV², (eV/Å)²: zero by symmetry
  return prior > vanishing ? novelty / prior : 0;
}

std::string name_of(const Structure& structure) {
  return structure.source.empty() ? "structure" : structure.source;
}

}  // namespace

double fitted_noise(const Model& model, Property property, const Structure& structure) {
  const RowGroup* chosen = nullptr;  // that of the config type, else the default
  for (const RowGroup& group : model.posterior.groups) {
    if (group.property != property || group.fixed) continue;
    if (group.config_class == structure.config_type)
      chosen = &group;
    else if (group.config_class == "default" && !chosen)
      chosen = &group;
  }
  if (!chosen) return 0;
  const bool is_scaled = property != Property::force && model.scale_with_atoms;
  return chosen->sigma * (is_scaled ? std::sqrt(static_cast<double>(structure.size())) : 1.0);
}

struct Predictor::Scratch {
  explicit Scratch(const Model& model) {
    const auto offsets = sparse_offsets(model.terms);
    for (std::size_t t = 0; t < model.terms.size(); ++t) {
      const Term& term = model.terms[t];
      const Vector scale = term.weight() * term.sparse.cutoff;
      weights.emplace_back(model.weights.segment(offsets[t], term.sparse.size()).cwiseProduct(scale));
      metric.push_back(term.kernel->metric(term.descriptor->size()));
      gradient_points.push_back(metric.back().size() ? Matrix(term.sparse.x * metric.back().asDiagonal()) : term.sparse.x);
    }
  }

  std::vector<Vector> weights;          // per term: c_m δ² f_m
  std::vector<Vector> metric;           // per term: Λ, or empty
  std::vector<Matrix> gradient_points;  // per term: Λ z
  Features features;
  ReusableMatrix value, slope, dE_dx;
  std::vector<double> dE_df;
  std::vector<Vector3> dE_dr;
  std::unique_ptr<Covariance> covariance;
  std::unique_ptr<QuipVariance> quip_variance;

  Covariance& posterior(const Model& model);
  void add_error_bars(const Model& model, const Environments& environments, int atoms, const PredictionRequest& request,
                      Prediction& result);
  Prediction evaluate(const Model& model, const Environments& environments, int atoms, const PredictionRequest& request);
};

Predictor::Predictor(std::shared_ptr<const Model> model) : model_(std::move(model)), scratch_(std::make_unique<Scratch>(*model_)) {}

Predictor::~Predictor() = default;

Prediction Predictor::compute(const Structure& structure, const PredictionRequest& request) {
  for (int i = 0; i < structure.size(); ++i) {
    const int z = structure.atomic_numbers[static_cast<std::size_t>(i)];
    if (!model_->knows(z)) throw_unknown_element(*model_, name_of(structure), i, z);
  }
  const StructureEnvironments environments(structure, model_->cutoff());
  Prediction prediction = scratch_->evaluate(*model_, environments.view(), structure.size(), request);
  check_finite(prediction, name_of(structure));
  add_noise(prediction, *model_, structure, request.calibrated);
  return prediction;
}

Prediction Predictor::compute(const Environments& environments, int atoms, const PredictionRequest& request) {
  check_elements(*model_, environments);
  Prediction prediction = scratch_->evaluate(*model_, environments, atoms, request);
  check_finite(prediction, "environments");
  return prediction;
}

Prediction Predictor::Scratch::evaluate(const Model& model, const Environments& environments, int atoms, const PredictionRequest& request) {
  Scratch& s = *this;
  Prediction result;
  result.local_energy = Vector::Zero(atoms);
  if (request.forces) {
    result.forces = Positions::Zero(atoms, 3);
    result.virial = Matrix3::Zero();
  }
  for (const int i : environments.centre)
    result.local_energy[i] += model.reference_energies.at(environments.atomic_number[static_cast<std::size_t>(i)]);
  if (request.forces) s.dE_dr.assign(environments.neighbor.size(), Vector3::Zero());

  for (const NamedBaseline& b : model.baselines)
    b.baseline->add(environments, {result.local_energy.data(), static_cast<std::size_t>(atoms)},
                    request.forces ? std::span<Vector3>(s.dE_dr) : std::span<Vector3>());

  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const Term& term = model.terms[t];
    const Eigen::Index count = term.sparse.size(), size = term.descriptor->size();
    for (int begin = 0; begin < environments.size();) {
      const int first = begin, end = chunk_end(environments, *term.descriptor, begin, chunk_pairs);
      begin = end;
      term.descriptor->compute(environments, first, end, request.forces ? Derivatives::pullback : Derivatives::none, s.features);
      const Eigen::Index n = s.features.size();
      if (n == 0) continue;
      if (count == 0) {
        result.unsampled_terms.push_back(t);
        break;
      }
      s.value.resize(n, count);
      if (request.forces) {
        s.slope.resize(n, count);
        MatrixSlice kernel_slope = s.slope.view();
        term.kernel->compute(s.features.x.view(), term.sparse.x, s.value.view(), &kernel_slope);
      } else {
        term.kernel->compute(s.features.x.view(), term.sparse.x, s.value.view());
      }
      s.dE_df.resize(static_cast<std::size_t>(n));
      Eigen::Map<Vector> local(s.dE_df.data(), n);
      local.noalias() = s.value.view() * s.weights[t];
      for (Eigen::Index e = 0; e < n; ++e) {
        const auto i = static_cast<std::size_t>(e);
        const int partner = s.features.partner[i];
        const double energy = s.features.cutoff[i] * local[e];
        result.local_energy[s.features.centre[i]] += partner >= 0 ? 0.5 * energy : energy;
        if (partner >= 0) result.local_energy[partner] += 0.5 * energy;
      }
      if (!request.forces) continue;
      // dE/dx_e = f_e Σ_m w_m slope_em (Λ z_m − h Λ x_e)
      auto weighted_slope = s.slope.view();
      const Eigen::Map<const Vector> f(s.features.cutoff.data(), n);
      weighted_slope.array().rowwise() *= s.weights[t].transpose().array();
      weighted_slope.array().colwise() *= f.array();
      s.dE_dx.resize(n, size);
      multiply_nn(weighted_slope, s.gradient_points[t], s.dE_dx.view());
      if (term.kernel->is_stationary()) {
        const Vector sums = weighted_slope.rowwise().sum();
        if (s.metric[t].size())
          s.dE_dx.view().noalias() -= sums.asDiagonal() * s.features.x.view() * s.metric[t].asDiagonal();
        else
          s.dE_dx.view().noalias() -= sums.asDiagonal() * s.features.x.view();
      }
      term.descriptor->pullback(environments, first, end, s.features, s.dE_dx.view(), s.dE_df, s.dE_dr);
    }
  }
  result.energy = result.local_energy.sum();

  if (request.forces) {
    Positions& forces = *result.forces;
    Matrix3& virial = *result.virial;
    for (int c = 0; c < environments.size(); ++c) {
      const auto position = static_cast<std::size_t>(c);
      Vector3 own = Vector3::Zero();
      for (std::size_t p = environments.begin[position]; p < environments.begin[position + 1]; ++p) {
        const Vector3& g = s.dE_dr[p];
        own += g;
        forces.row(environments.neighbor[p]) -= g.transpose();
        virial -= g * environments.vector[p].transpose();
      }
      forces.row(environments.centre[position]) += own.transpose();
    }
    virial = 0.5 * (virial + virial.transpose()).eval();
  }

  if (request.error_bars()) s.add_error_bars(model, environments, atoms, request, result);
  return result;
}

Covariance& Predictor::Scratch::posterior(const Model& model) {
  if (!model.has_posterior())
    throw InputError(model.notes.count("origin") > 0 ? "this model was imported without the posterior of its weights: it has no error "
                                                       "bars; --std local alone gives the variance that "
                                                       "QUIP would give, and a fit with gap-fit gives error bars"
                                                     : "this model has no posterior, so it has no error bars");
  if (!covariance) covariance = std::make_unique<Covariance>(model);
  return *covariance;
}

void Predictor::Scratch::add_error_bars(const Model& model, const Environments& environments, int atoms, const PredictionRequest& request,
                                        Prediction& result) {
  const bool is_imported = !model.has_posterior() && model.notes.count("origin") > 0;
  if (is_imported && request.local_std && !request.energy_std && !request.force_std && !request.stress_std) {
    if (!quip_variance) quip_variance = std::make_unique<QuipVariance>(model);
    result.local_quip_variance = quip_variance->local_energies(environments, atoms);
    return;
  }
  Covariance& c = posterior(model);
  const Observables wanted{.energy = request.energy_std, .forces = request.force_std, .virial = request.stress_std};
  if (wanted.rows(atoms) > 0) {
    const std::vector<Variance> variances = c.observables(environments, atoms, wanted);
    const auto std_of = [&](Eigen::Index row) { return std::sqrt(variances[static_cast<std::size_t>(row)].total()); };
    if (wanted.energy) {
      result.energy_std_epistemic = std_of(0);
      result.novelty = novelty_fraction({variances.data(), 1});
    }
    if (wanted.forces) {
      Positions& std = result.forces_std_epistemic.emplace(atoms, 3);
      for (Eigen::Index i = 0; i < std.size(); ++i) std.data()[i] = std_of(wanted.forces_row() + i);
      double worst = 0;
      for (int i = 0; i < atoms; ++i)
        worst = std::max(worst, novelty_fraction(std::span(variances).subspan(static_cast<std::size_t>(wanted.forces_row() + 3 * i), 3)));
      result.novelty = worst;
    }
    if (wanted.virial) {
      Voigt& std = result.virial_std_epistemic.emplace();
      for (Eigen::Index i = 0; i < 6; ++i) std[i] = std_of(wanted.virial_row(atoms) + i);
    }
  }
  if (request.local_std) {
    const std::vector<Variance> local = c.local_energies(environments, atoms);
    result.local_energy_std_epistemic = Vector(atoms);
    for (int i = 0; i < atoms; ++i) (*result.local_energy_std_epistemic)[i] = std::sqrt(local[static_cast<std::size_t>(i)].total());
  }
}

EnergyDifference Predictor::difference(const Structure& a, const Structure& b, bool calibrated) {
  EnergyDifference result;
  result.energy = compute(b, {.forces = false}).energy - compute(a, {.forces = false}).energy;
  const StructureEnvironments ea(a, model_->cutoff()), eb(b, model_->cutoff());
  result.std_epistemic = std::sqrt(scratch_->posterior(*model_).energy_difference(ea.view(), eb.view()).total());
  // Of two config types with factors of their own, the epistemic part takes the larger one.
  const Factors fa = factors_of(*model_, Property::energy, a.config_type, calibrated);
  const Factors fb = factors_of(*model_, Property::energy, b.config_type, calibrated);
  result.std = std::hypot(std::max(fa.a, fb.a) * result.std_epistemic, fa.b * fitted_noise(*model_, Property::energy, a),
                          fb.b * fitted_noise(*model_, Property::energy, b));
  return result;
}

Voigt stress_of(const Matrix3& virial, double volume) {
  Voigt stress;
  stress << virial(0, 0), virial(1, 1), virial(2, 2), virial(1, 2), virial(0, 2), virial(0, 1);
  return -stress / volume;
}

}  // namespace gapkit
