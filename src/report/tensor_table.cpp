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

using Json = nlohmann::ordered_json;

constexpr std::size_t most_kept = 20000;

/// The components of the covariance, with off-diagonal ones of a matrix as they are.
Vector independent_components(const Vector& cartesian, const TensorKeys& keys) {
  if (keys.kind != "symmetric") return cartesian;
  const Matrix3 full = Eigen::Map<const Matrix3>(cartesian.data());
  return voigt_of(full);
}

void add_to_row(TensorTable::Row& row, const Vector& reference, const Vector& error) {
  if (row.count++ == 0) row.reference = row.references = Vector::Zero(reference.size());
  row.components += error.size();
  row.square += error.squaredNorm();
  row.reference += reference;
  row.references += reference.cwiseAbs2();
}

std::string line_of_row(const std::string& name, const std::string& units, const TensorTable::Row& row) {
  return fmt::format("{:<28}{:<16}{:>8}{:>12.4g}{:>12.4g}{:>10.3g}{:>14}\n", name, units.empty() ? "-" : units, row.count, row.rmse(),
                     row.spread(), 100 * row.rmse() / row.spread(), row.bars > 0 ? fmt::format("{:.3g}", row.mean_mahalanobis()) : "-");
}

Json json_of_row(const TensorTable::Row& row) {
  return {{"count", row.count},
          {"rmse", row.rmse()},
          {"spread", row.spread()},
          {"mahalanobis", row.bars > 0 ? Json(row.mean_mahalanobis()) : Json(nullptr)}};
}

}  // namespace

double TensorTable::Row::rmse() const {
  return std::sqrt(square / static_cast<double>(components));
}

double TensorTable::Row::spread() const {
  const auto n = static_cast<double>(count);
  return std::sqrt((references / n - (reference / n).cwiseAbs2()).cwiseMax(0.0).mean());
}

void TensorTable::add_tensor(Part& part, const Structure& frame, const TensorPrediction& found, const Matrix& label) {
  for (Eigen::Index r = 0; r < label.rows(); ++r) {
    const Vector reference = label.row(r).transpose(), error = found.values.row(r).transpose() - reference;
    add_to_row(part.all, reference, error);
    const Vector shown = independent_components(reference, found.keys), e = independent_components(error, found.keys);
    for (Eigen::Index k = 0; k < e.size() && part.references.size() < most_kept; ++k) {
      part.references.push_back(shown[k]);
      part.predictions.push_back(shown[k] + e[k]);
    }
    if (!found.covariance) continue;
    const Eigen::Index c = found.covariance_size();
    const Vector numbers = found.covariance->row(r).transpose();
    const Eigen::MatrixXd covariance = Eigen::Map<const Matrix>(numbers.data(), c, c);
    const Eigen::LLT<Eigen::MatrixXd> inverse(covariance);
    const double distance = e.dot(inverse.solve(e)) / static_cast<double>(c);
    if (inverse.info() != Eigen::Success || !std::isfinite(distance))
      throw NumericalError(frame.place() + "the covariance of '" + found.keys.name + "' is singular");
    part.all.mahalanobis += distance;
    ++part.all.bars;
  }
}

void TensorTable::add_invariants(Part& part, const TensorPrediction& found, const Matrix& label) {
  TensorPrediction of_label;
  of_label.keys = found.keys;
  of_label.values = label;
  const std::vector<std::string> names = found.invariant_names();
  const Matrix predicted = found.invariants(), reference = of_label.invariants();
  const Matrix std = found.covariance ? found.invariants_std() : Matrix();
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (part.invariants.size() <= k) part.invariants.emplace_back(names[k], Row());
    Row& row = part.invariants[k].second;
    const auto column = static_cast<Eigen::Index>(k);
    for (Eigen::Index r = 0; r < reference.rows(); ++r) {
      const double error = predicted(r, column) - reference(r, column);
      add_to_row(row, Vector::Constant(1, reference(r, column)), Vector::Constant(1, error));
      if (!found.covariance) continue;
      row.mahalanobis += std::pow(error / std(r, column), 2);
      ++row.bars;
    }
  }
}

void TensorTable::add(const Structure& frame, const Prediction& prediction) {
  for (std::size_t k = 0; k < prediction.tensors.size(); ++k) {
    const TensorPrediction& found = prediction.tensors[k];
    if (parts_.size() <= k) parts_.emplace_back().keys = found.keys;
    if (const std::optional<Matrix> label = read_tensor(frame, found.keys)) {
      add_tensor(parts_[k], frame, found, *label);
      add_invariants(parts_[k], found, *label);
    }
    const std::optional<Matrix> derivatives = found.derivatives ? read_tensor_derivatives(frame, found.keys) : std::nullopt;
    if (!derivatives) continue;
    const Eigen::Map<const Matrix> predicted(found.derivatives->data(), derivatives->rows(), derivatives->cols());
    for (Eigen::Index i = 0; i < frame.size(); ++i) {
      const Matrix reference = derivatives->middleRows(3 * i, 3), error = predicted.middleRows(3 * i, 3) - reference;
      add_to_row(parts_[k].derivatives, Eigen::Map<const Vector>(reference.data(), reference.size()),
                 Eigen::Map<const Vector>(error.data(), error.size()));
    }
  }
}

bool TensorTable::empty() const {
  return std::all_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.all.count + part.derivatives.count == 0; });
}

std::string TensorTable::text() const {
  if (empty()) return "";
  std::string text =
      fmt::format("{:<28}{:<16}{:>8}{:>12}{:>12}{:>10}{:>14}\n", "tensor", "units", "count", "RMSE", "spread", "%", "Mahalanobis");
  for (const Part& part : parts_) {
    const std::string& units = part.keys.units;
    if (part.all.count > 0) text += line_of_row(part.keys.name, units, part.all);
    for (const auto& [name, row] : part.invariants) text += line_of_row(part.keys.name + " " + name, units, row);
    if (part.derivatives.count > 0)
      text += line_of_row(part.keys.name + " derivatives", units.empty() ? "" : units + "/Å", part.derivatives);
  }
  return text;
}

std::string TensorTable::json() const {
  Json json = Json::object();
  for (const Part& part : parts_) {
    if (part.all.count + part.derivatives.count == 0) continue;
    Json entry = {{"units", part.keys.units}};
    if (part.all.count > 0) entry.update(json_of_row(part.all));
    for (const auto& [name, row] : part.invariants) entry[name] = json_of_row(row);
    entry["derivatives"] = part.derivatives.count > 0 ? json_of_row(part.derivatives) : Json(nullptr);
    json[part.keys.name] = entry;
  }
  return json.dump();
}

}  // namespace gapkit
