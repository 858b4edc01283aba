#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <utility>

namespace gapkit {

void check_points(const Model& model, int points) {
  if (points < 1) throw InputError(fmt::format("{} sparse points, expected at least 1", points));
  if (points > model.factor.size())
    throw InputError(
        fmt::format("error bars of {} sparse points, but the model has {}: give at most that many", points, model.factor.size()));
}

bool keeps_all_points(const CalibrationFactors& factors) {
  return factors.property != Property::force && (factors.part == EpistemicPart::jackknife || factors.part == EpistemicPart::cautious);
}

int quick_points(const Model& model) {
  if (!model.calibration) return 0;
  std::int64_t most = 0;
  for (const CalibrationFactors& f : model.calibration->factors)
    if (f.property == Property::force && f.points < model.factor.size()) most = std::max(most, f.points);
  return static_cast<int>(most);
}

std::optional<Calibration> calibration_of_points(const Model& model, int points) {
  if (!model.calibration || points <= 0 || points >= model.factor.size()) return model.calibration;
  Calibration result = *model.calibration;
  result.factors.clear();
  for (const CalibrationFactors& f : model.calibration->factors) {
    const bool keeps_all = f.points == 0 && keeps_all_points(f);
    if (f.points != points && !keeps_all) continue;
    result.factors.push_back(f);
    result.factors.back().points = 0;
  }
  if (result.factors.empty()) return std::nullopt;
  if (result.familiar_of_fewer) result.familiar[Property::force] = *std::exchange(result.familiar_of_fewer, std::nullopt);
  return result;
}

Model with_fewer_points(const Model& model, int points) {
  if (!model.has_posterior()) throw InputError("the model has no posterior that could be reduced to fewer points");
  check_points(model, points);
  const double share = static_cast<double>(points) / static_cast<double>(model.factor.size());
  if (share >= 1) return model;

  Model result = model;
  result.calibration = calibration_of_points(model, points);
  if (result.calibration) {  // without those of all points
    result.calibration->jackknife.resize(0, 0);
    std::erase_if(result.calibration->factors, keeps_all_points);
    if (result.calibration->factors.empty()) result.calibration.reset();
  }
  std::vector<Eigen::Index> kept;  // indices among all sparse points
  std::vector<Matrix> blocks;
  for (std::size_t t = 0; t < model.terms.size(); ++t) {
    const Eigen::Index all = model.terms[t].sparse.size();
    const auto count = std::min(all, static_cast<Eigen::Index>(std::ceil(share * static_cast<double>(all))));
    SparseSet& sparse = result.terms[t].sparse;
    sparse.x.conservativeResize(count, Eigen::NoChange);
    sparse.covariance_cutoff.conservativeResize(count);
    sparse.origin.resize(std::min(sparse.origin.size(), static_cast<std::size_t>(count)));
    blocks.emplace_back(model.factor.blocks()[t].topLeftCorner(count, count));
    for (Eigen::Index m = 0; m < count; ++m) kept.push_back(model.factor.offsets()[t] + m);
  }
  result.factor = SparseFactor(std::move(blocks), model.factor.jitter());

  // A = F Fᵀ, b = A u
  const Matrix& factor = model.posterior.factor;
  const Vector b = factor.triangularView<Eigen::Lower>() * (factor.transpose().triangularView<Eigen::Upper>() * model.posterior.mean);
  Matrix rows = factor(kept, Eigen::all);
  for (Eigen::Index i = 0; i < rows.rows(); ++i) rows.row(i).tail(rows.cols() - kept[static_cast<std::size_t>(i)] - 1).setZero();
  Matrix a(rows.rows(), rows.rows());
  multiply_nt(rows, rows, a);
  if (!cholesky(a)) throw NumericalError("the posterior of fewer points is not positive definite: the model file is damaged");
  result.posterior.factor = std::move(a);
  result.posterior.mean = solve_lower_transposed(result.posterior.factor, solve_lower(result.posterior.factor, b(kept)));
  result.weights = kernel_weights(result.factor, result.posterior);
  for (const char* name : {"training_errors", "validation_errors"}) result.notes.erase(name);
  return result;
}

}  // namespace gapkit
