#include "predict/local_bars.hpp"

#include <cmath>
#include <gapkit/model/term_kernel.hpp>
#include <gapkit/predict/extrapolation.hpp>
#include <gapkit/predict/known_elements.hpp>

namespace gapkit {
namespace {

void check_derivatives(const Model& model, const PredictionRequest& request) {
  if (request.forces || request.force_std || request.stress_std) require_derivatives(model.terms);
}

}  // namespace

void check_request(const Model& model, const Structure& structure, const std::string& where, const PredictionRequest& request) {
  check_elements(model, structure);
  check_derivatives(model, request);
  if (request.extrapolation) require_extrapolation(model, structure.atomic_numbers, where);
}

void check_request(const Model& model, const Environments& environments, const PredictionRequest& request) {
  check_elements(model, environments);
  check_derivatives(model, request);
  if (!request.extrapolation) return;
  std::vector<int> elements;
  for (const int i : environments.centre) elements.push_back(environments.atomic_number[static_cast<std::size_t>(i)]);
  require_extrapolation(model, elements, "environments");
}

double novelty_fraction(std::span<const Variance> variances) {
  double novelty = 0, prior = 0;
  for (const Variance& v : variances) {
    novelty += v.novelty;
    prior += v.prior;
  }
  constexpr double vanishing = 1e-10;  // eV², (eV/Å)²: zero by symmetry
  return prior > vanishing ? novelty / prior : 0;
}

void set_local(const Model& model, std::span<const int> elements, std::span<const Variance> variances, const PredictionRequest& request,
               Prediction& result) {
  const auto count = static_cast<Eigen::Index>(variances.size());
  Vector std(count), grades = Vector::Zero(count);
  for (std::size_t i = 0; i < variances.size(); ++i) {
    std[static_cast<Eigen::Index>(i)] = std::sqrt(variances[i].total());
    if (request.extrapolation && variances[i].prior > 0)
      grades[static_cast<Eigen::Index>(i)] = extrapolation_grade(model, elements[i], variances[i]);
  }
  if (request.local_std) result.local_energy_std_epistemic = std::move(std);
  if (request.extrapolation) result.extrapolation = std::move(grades);
}

}  // namespace gapkit
