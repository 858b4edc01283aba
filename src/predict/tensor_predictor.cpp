#include "predict/tensor_predictor.hpp"

#include <fmt/format.h>

#include <gapkit/core/elements.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/tensor_labels.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/math/tensor_components.hpp>

namespace gapkit {
namespace {

/// Components of the covariance from those of λ: [3, 6 or 1, 2λ+1].
Matrix components_of_covariance(const std::string& kind, int lambda) {
  const Matrix back = spherical_map(kind, lambda).transpose();
  if (kind != "symmetric") return back;
  Matrix six(6, back.cols());
  for (std::size_t k = 0; k < voigt_index.size(); ++k)
    six.row(static_cast<Eigen::Index>(k)) = back.row(3 * voigt_index[k][0] + voigt_index[k][1]);
  return six;
}

}  // namespace

std::vector<Matrix> tensor_covariances(const TensorPart& part, const TensorKernel& kernel,
                                       const std::vector<TensorEnvironments>& environments, int atoms) {
  std::vector<Matrix> result = kernel.prior(environments, atoms);
  Matrix rows = kernel.rows(environments, atoms);
  part.factor.whiten(rows);
  Matrix solved = rows;
  solve_lower_rows(part.posterior.factor, solved);
  const Eigen::Index n = kernel.components();
  for (std::size_t r = 0; r < result.size(); ++r) {
    const auto at = n * static_cast<Eigen::Index>(r);
    const Matrix c = result[r] - rows.middleRows(at, n) * rows.middleRows(at, n).transpose() +
                     solved.middleRows(at, n) * solved.middleRows(at, n).transpose();
    result[r] = 0.5 * (c + c.transpose());
  }
  return result;
}

TensorPredictors::Entry::Entry(std::shared_ptr<const FittedTensor> given, std::span<const FittedProperty> properties)
    : tensor(std::move(given)), charges(ChargeDipole::of(tensor->keys, properties)) {
  for (const FittedProperty& property : properties)
    if (property.keys.name == tensor->keys.charges) charge_model = property.field;
  for (const TensorPart& part : tensor->parts)
    kernels.emplace_back(tensor->terms, tensor->keys.target, part.lambda, part.delta).set_weights(part.weights);
}

void TensorPredictors::Entry::check(const Structure& structure) const {
  const TensorKeys& keys = tensor->keys;
  for (std::size_t i = 0; i < structure.atomic_numbers.size(); ++i)
    if (tensor->elements.count(structure.atomic_numbers[i]) == 0)
      throw InputError(fmt::format("{}atom {} is {}, for which the model has no data of the tensor '{}'", structure.place(), i + 1,
                                   element_symbol(structure.atomic_numbers[i]), keys.name));
  if (keys.kind == "vector" && !keys.is_per_atom() && keys.origin.empty() && charge_of_frame(structure) != 0)
    throw InputError(fmt::format(
        "{}the frame has a total charge, but the fit of '{}' named no origin, the point that dipoles of charged frames are about",
        structure.place(), keys.name));
}

void TensorPredictors::Entry::add_charges(const Structure& structure, const PredictionRequest& request, TensorPrediction& result) {
  const ChargeDipole::Value part = charges->compute(structure, result.derivatives.has_value());
  result.values += part.dipole.transpose();
  if (result.derivatives) Eigen::Map<Matrix>(result.derivatives->data(), 3 * structure.size(), 3) += part.derivatives;
  if (!result.covariance) return;
  if (!charge_bars) charge_bars = std::make_unique<ChargeBars>(*charges, *charge_model);
  const Matrix3 covariance = charge_bars->covariance(structure, request.calibrated);
  result.covariance->row(0) += Eigen::Map<const Vector>(covariance.data(), 9).transpose();
}

TensorPrediction TensorPredictors::Entry::compute(const Structure& structure, const PredictionRequest& request) {
  check(structure);
  const TensorKeys& keys = tensor->keys;
  const StructureEnvironments neighbors(structure, tensor->cutoff());
  std::vector<TensorEnvironments> environments;
  for (const TensorTerm& term : tensor->terms) environments.push_back(tensor_environments(term, neighbors.view()));
  TensorPrediction result;
  result.keys = keys;
  const Eigen::Index rows = keys.is_per_atom() ? structure.size() : 1, c = result.covariance_size();
  result.values = Matrix::Zero(rows, keys.components());
  if (request.tensor_covariance) result.covariance = Matrix::Zero(rows, c * c);
  if (request.tensor_derivatives && !keys.is_per_atom()) result.derivatives = Matrix::Zero(structure.size(), 3 * keys.components());
  result.is_calibrated = request.calibrated;
  if (charges) add_charges(structure, request, result);
  auto kernel = kernels.begin();
  for (const TensorPart& part : tensor->parts) {
    Matrix t = kernel->mean(environments, structure.size());
    if (part.lambda == 0) t += tensor_baseline(part.means, structure.atomic_numbers, keys);
    result.values += t * spherical_map(keys.kind, part.lambda);
    if (result.derivatives)
      Eigen::Map<Matrix>(result.derivatives->data(), 3 * structure.size(), keys.components()) +=
          kernel->derivatives(neighbors.view(), environments, structure.size()) * spherical_map(keys.kind, part.lambda);
    result.is_calibrated = result.is_calibrated && part.left_out > 0;
    if (request.tensor_covariance) {
      const std::vector<Matrix> all = tensor_covariances(part, *kernel, environments, structure.size());
      const Matrix map = components_of_covariance(keys.kind, part.lambda);
      const double scale = request.calibrated ? part.scale : 1, noise_scale = request.calibrated ? part.noise_scale : 1,
                   noise = noise_scale * part.sigma() * tensor_noise_scale(keys, structure.size());
      for (Eigen::Index r = 0; r < rows; ++r) {
        const Matrix& epistemic = all[static_cast<std::size_t>(r)];
        const Matrix covariance = scale * scale * epistemic + noise * noise * Matrix::Identity(epistemic.rows(), epistemic.cols());
        const Matrix cartesian = map * covariance * map.transpose();
        result.covariance->row(r) += Eigen::Map<const Vector>(cartesian.data(), cartesian.size()).transpose();
      }
    }
    ++kernel;
  }
  if (!result.values.allFinite() || (result.covariance && !result.covariance->allFinite()) ||
      (result.derivatives && !result.derivatives->allFinite()))
    throw NumericalError(fmt::format("{}the tensor '{}' came out as NaN or infinity", structure.place(), keys.name));
  return result;
}

TensorPredictors::TensorPredictors(const Model& model) {
  for (const auto& tensor : model.tensors) entries_.emplace_back(tensor, model.properties);
}

void TensorPredictors::add(const Structure& structure, const PredictionRequest& request, Prediction& prediction) {
  if (!request.tensors) return;
  for (Entry& entry : entries_) prediction.tensors.push_back(entry.compute(structure, request));
}

}  // namespace gapkit
