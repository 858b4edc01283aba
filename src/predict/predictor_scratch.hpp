#pragma once

#include <gapkit/model/covariance.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/quip_variance.hpp>
#include <gapkit/model/term_potential.hpp>
#include <gapkit/predict/predictor.hpp>

#include "predict/field_bars.hpp"
#include "predict/property_predictor.hpp"

namespace gapkit {

/// Error bars of forces on atoms 0 … atoms − 1 and of other targets; without a structure the config type is "default".
struct BarRequest {
  const PredictionRequest& targets;
  const Structure* structure;
  int atoms;
};

struct Predictor::Scratch {
  Scratch(const Model& model, int points) : potentials(model.baselines), properties(model), field_bars(model), error_bar_points(points) {
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
  FieldBars field_bars;
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
  bool is_reduced(const Model& model) {
    posterior(model);
    return reduced != nullptr;
  }
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
  void add_local(const Model& model, const Environments& environments, const BarRequest& request, Prediction& result);
};

}  // namespace gapkit
