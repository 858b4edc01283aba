#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/fewer_points.hpp>
#include <numeric>

namespace gapkit {

namespace {

/// The factors that hold for error bars of these points: of parts, those of the nearest number of points; none of the jackknife.
std::optional<Calibration> calibration_of_fewer(const std::optional<Calibration>& all, Eigen::Index points) {
  if (!all) return std::nullopt;
  Calibration result = *all;
  result.jackknife.resize(0, 0);
  result.factors.clear();
  const auto distance = [&](const CalibrationFactors& f) {
    return std::abs(std::log(static_cast<double>(f.points) / static_cast<double>(points)));
  };
  for (const CalibrationFactors& f : all->factors) {
    bool is_nearest = f.part == EpistemicPart::all || (f.part == EpistemicPart::data && f.points > 0);
    for (const CalibrationFactors& other : all->factors)
      if (f.points > 0 && other.points > 0 && other.property == f.property) is_nearest = is_nearest && distance(f) <= distance(other);
    if (!is_nearest) continue;
    result.factors.push_back(f);
    result.factors.back().points = 0;
  }
  if (result.factors.empty()) return std::nullopt;
  return result;
}

}  // namespace

Model with_fewer_points(const Model& model, int points) {
  if (!model.has_posterior()) throw InputError("the model has no posterior that could be reduced to fewer points");
  if (points < 1) throw InputError(fmt::format("{} sparse points, expected at least 1", points));
  const double share = static_cast<double>(points) / static_cast<double>(model.factor.size());
  if (share >= 1) return model;

  Model result = model;
  result.calibration = calibration_of_fewer(model.calibration, points);
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
