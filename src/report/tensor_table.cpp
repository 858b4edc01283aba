#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/tensor_labels.hpp>
#include <gapkit/report/tensor_table.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

/// The components of the covariance, with off-diagonal ones of a matrix as they are.
Vector independent_components(const Vector& cartesian, const TensorKeys& keys) {
  if (keys.kind != "symmetric") return cartesian;
  const Matrix3 full = Eigen::Map<const Matrix3>(cartesian.data());
  return voigt_of(full);
}

}  // namespace

double TensorTable::Row::rmse() const {
  return std::sqrt(square / static_cast<double>(components));
}

double TensorTable::Row::spread() const {
  const auto n = static_cast<double>(count);
  return std::sqrt((references / n - (reference / n).cwiseAbs2()).cwiseMax(0.0).mean());
}

void TensorTable::add(const Structure& frame, const Prediction& prediction) {
  for (std::size_t k = 0; k < prediction.tensors.size(); ++k) {
    const TensorPrediction& found = prediction.tensors[k];
    if (rows_.size() <= k) rows_.emplace_back().keys = found.keys;
    const std::optional<Matrix> label = read_tensor(frame, found.keys);
    if (!label) continue;
    Row& row = rows_[k];
    if (row.count == 0) row.reference = row.references = Vector::Zero(label->cols());
    for (Eigen::Index r = 0; r < label->rows(); ++r) {
      const Vector reference = label->row(r).transpose(), error = found.values.row(r).transpose() - reference;
      ++row.count;
      row.components += error.size();
      row.square += error.squaredNorm();
      row.reference += reference;
      row.references += reference.cwiseAbs2();
      if (!found.covariance) continue;
      const Eigen::Index c = found.covariance_size();
      const Vector e = independent_components(error, found.keys);
      const Vector numbers = found.covariance->row(r).transpose();
      const Eigen::MatrixXd covariance = Eigen::Map<const Matrix>(numbers.data(), c, c);
      const double distance = e.dot(covariance.ldlt().solve(e)) / static_cast<double>(c);
      if (!std::isfinite(distance)) throw NumericalError(frame.place() + "the covariance of '" + found.keys.name + "' is singular");
      row.mahalanobis += distance;
      ++row.bars;
    }
  }
}

bool TensorTable::empty() const {
  return std::all_of(rows_.begin(), rows_.end(), [](const Row& row) { return row.count == 0; });
}

std::string TensorTable::text() const {
  if (empty()) return "";
  std::string text =
      fmt::format("{:<20}{:<14}{:>8}{:>12}{:>12}{:>10}{:>14}\n", "tensor", "units", "count", "RMSE", "spread", "%", "Mahalanobis");
  for (const Row& row : rows_) {
    if (row.count == 0) continue;
    text += fmt::format("{:<20}{:<14}{:>8}{:>12.4g}{:>12.4g}{:>10.3g}{:>14}\n", row.keys.name,
                        row.keys.units.empty() ? "-" : row.keys.units, row.count, row.rmse(), row.spread(), 100 * row.rmse() / row.spread(),
                        row.bars > 0 ? fmt::format("{:.3g}", row.mean_mahalanobis()) : "-");
  }
  return text;
}

std::string TensorTable::json() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const Row& row : rows_)
    if (row.count > 0)
      json[row.keys.name] = {
          {"units", row.keys.units},
          {"count", row.count},
          {"rmse", row.rmse()},
          {"spread", row.spread()},
          {"mahalanobis", row.bars > 0 ? nlohmann::ordered_json(row.mean_mahalanobis()) : nlohmann::ordered_json(nullptr)}};
  return json.dump();
}

}  // namespace gapkit
