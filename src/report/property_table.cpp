#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/elements.hpp>
#include <gapkit/report/property_table.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;
using Row = PropertyTable::Row;

Json row_json(const Row& row) {
  if (row.count == 0) return nullptr;
  Json json = {{"count", row.count}, {"mae", row.mae()}, {"rmse", row.rmse()}, {"spread", row.spread()}};
  const bool has_bars = row.bars > 0;
  json["zms"] = has_bars ? Json(row.zms()) : Json(nullptr);
  json["coverage68"] = has_bars ? Json(row.coverage68()) : Json(nullptr);
  json["coverage95"] = has_bars ? Json(row.coverage95()) : Json(nullptr);
  return json;
}

std::string row_text(const std::string& name, const Row& row) {
  if (row.count == 0) return "";
  std::string text = fmt::format("{:<24}{:>8}{:>12.4g}{:>12.4g}{:>12.4g}", name, row.count, row.rmse(), row.mae(), row.spread());
  if (row.bars > 0) text += fmt::format("{:>10.2f}{:>8.0f}{:>8.0f}", row.zms(), 100 * row.coverage68(), 100 * row.coverage95());
  return text + "\n";
}

}  // namespace

void PropertyTable::Row::add(double predicted, double reference_value, double std) {
  const double error = predicted - reference_value;
  ++count;
  absolute += std::abs(error);
  square += error * error;
  reference += reference_value;
  reference_square += reference_value * reference_value;
  if (!(std > 0)) return;
  const double z = std::abs(error) / std;
  ++bars;
  z_square += z * z;
  within68 += z <= 1;
  within95 += z <= 1.96;
}

double PropertyTable::Row::rmse() const {
  return std::sqrt(square / static_cast<double>(count));
}

double PropertyTable::Row::spread() const {
  const auto n = static_cast<double>(count);
  return std::sqrt(std::max(0.0, reference_square / n - (reference / n) * (reference / n)));
}

PropertyTable::PropertyTable(const Model& model) {
  for (const FittedProperty& property : model.properties) parts_.push_back({property.keys, {}, {}, {}, {}});
}

void PropertyTable::add(const Structure& frame, const Prediction& prediction) {
  for (std::size_t p = 0; p < std::min(parts_.size(), prediction.properties.size()); ++p) {
    Part& part = parts_[p];
    const PropertyPrediction& found = prediction.properties[p];
    const LocalTargets reference = read_property(frame, part.keys);
    for (std::size_t i = 0; i < reference.values.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      const double std = found.std ? (*found.std)[row] : 0;
      part.of_element[frame.atomic_numbers[i]].add(found.values[row], reference.values[i], std);
      part.all.add(found.values[row], reference.values[i], std);
    }
    if (reference.total) part.total.add(found.total, *reference.total, found.total_std.value_or(0));
    if (!reference.dipole || !found.dipole) continue;
    const Vector3 centroid = frame.positions.colwise().mean().transpose();
    const double sum = reference.total.value_or(found.total);
    for (Eigen::Index c = 0; c < 3; ++c)
      part.dipole.add((*found.dipole)[c], (*reference.dipole)[c] - sum * centroid[c], found.dipole_std ? (*found.dipole_std)[c] : 0);
  }
}

bool PropertyTable::empty() const {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.all.count + part.total.count + part.dipole.count == 0; });
}

std::string PropertyTable::text() const {
  std::string text;
  for (const Part& part : parts_) {
    if (part.all.count + part.total.count + part.dipole.count == 0) continue;
    const std::string heading = part.keys.unit.empty() ? part.keys.name : fmt::format("{} ({})", part.keys.name, part.keys.unit);
    const bool has_bars = part.all.bars + part.total.bars + part.dipole.bars > 0;
    if (!text.empty()) text += "\n";
    text += fmt::format("{:<24}{:>8}{:>12}{:>12}{:>12}{}\n", heading, "rows", "RMSE", "MAE", "spread",
                        has_bars ? fmt::format("{:>10}{:>8}{:>8}", "mean z²", "68 %", "95 %") : "");
    for (const auto& [z, row] : part.of_element) text += row_text(element_symbol(z), row);
    text += row_text("all atoms", part.all) + row_text("total", part.total) + row_text("dipole components", part.dipole);
  }
  return text;
}

std::string PropertyTable::json() const {
  Json json = Json::object();
  for (const Part& part : parts_) {
    Json elements = Json::object();
    for (const auto& [z, row] : part.of_element) elements[element_symbol(z)] = row_json(row);
    json[part.keys.name] = {{"unit", part.keys.unit},
                            {"all", row_json(part.all)},
                            {"elements", elements},
                            {"total", row_json(part.total)},
                            {"dipole", row_json(part.dipole)}};
  }
  return json.dump();
}

}  // namespace gapkit
