#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/report/error_table.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

void check_finite(double value, const Structure& frame, const char* property) {
  if (std::isfinite(value)) return;
  throw NumericalError(fmt::format("{}: the predicted {} is {}; expected a finite number (check the frame for atoms that nearly coincide)",
                                   frame.source.empty() ? "frame" : frame.source, property, value));
}

Json to_json(const ErrorSummary& summary) {
  // JSON has no NaN: an error without data is null.
  Json json = {{"count", summary.count}, {"rmse", nullptr}, {"mae", nullptr}};
  if (summary.count > 0) {
    json["rmse"] = summary.rmse();
    json["mae"] = summary.mae();
  }
  return json;
}

Json to_json(const ErrorTable::Row& row) {
  Json json = {{"frames", row.frames}};
  for (const TargetInfo& target : targets()) json[target.shown.name] = to_json(row[target.property]);
  return json;
}

/// Fixed point with `digits`; powers of ten where fixed point would show only zeros or overflow the column.
std::string number(double value, int digits) {
  const double smallest = 0.5 * std::pow(10.0, -digits);
  if (value >= 1e6 || (value > 0 && value < smallest)) return fmt::format("{:.1e}", value);
  return fmt::format("{:.{}f}", value, digits);
}

std::string pair_of_cells(const ErrorSummary& summary, int digits) {
  if (summary.count == 0) return fmt::format("{:>10}{:>10}", "-", "-");
  return fmt::format("{:>10}{:>10}", number(summary.rmse(), digits), number(summary.mae(), digits));
}

std::string line(const std::string& name, std::size_t name_width, const ErrorTable::Row& row) {
  std::string text = fmt::format("{:<{}}{:>8}", name, name_width, row.frames);
  for (const TargetInfo& target : targets()) text += pair_of_cells(row[target.property], target.shown.digits);
  return text + "\n";
}

}  // namespace

void ErrorSummary::add(double error) {
  ++count;
  sum_of_squares += error * error;
  sum_of_absolutes += std::abs(error);
}

void ErrorSummary::add(const ErrorSummary& other) {
  count += other.count;
  sum_of_squares += other.sum_of_squares;
  sum_of_absolutes += other.sum_of_absolutes;
}

double ErrorSummary::rmse() const {
  return std::sqrt(sum_of_squares / static_cast<double>(count));
}

double ErrorSummary::mae() const {
  return sum_of_absolutes / static_cast<double>(count);
}

void ErrorTable::Row::add(const Row& other) {
  frames += other.frames;
  for (const TargetInfo& target : targets()) {
    errors[target.property].add(other[target.property]);
    base_errors[target.property].add(other.base_errors[target.property]);
  }
}

void ErrorTable::add(const Structure& frame, const Prediction& prediction) {
  // Collected in a separate row: a frame that throws must not leave a part of its errors in the table.
  Row row;
  for (const TargetInfo& target : targets()) {
    const auto scale = target.shown_scale(frame);
    if (!scale) continue;
    for (const ComparedRow& compared : compared_rows(frame, prediction, target)) {
      check_finite((*scale)(compared.predicted), frame, target.std_names.front());
      row.errors[target.property].add((*scale)(compared.error()) * target.shown.error_factor);
    }
    if (row[target.property].count > 0) row.frames = 1;
  }
  row.base_errors = base_errors(frame, prediction);
  if (row.frames > 0) rows_[frame.config_type].add(row);
}

ErrorTable::Row ErrorTable::total() const {
  Row all;
  for (const auto& [name, row] : rows_) all.add(row);
  return all;
}

bool ErrorTable::empty() const {
  return rows_.empty();
}

std::string ErrorTable::text() const {
  std::size_t width = 16;
  for (const auto& [name, row] : rows_) width = std::max(width, name.size() + 1);
  std::string out = fmt::format("{:<{}}{:>8}", "", width, ""), second = fmt::format("{:<{}}{:>8}", "config type", width, "frames");
  for (const TargetInfo& target : targets()) {
    out += fmt::format("{:>20}", fmt::format("{} ({})", target.shown.name, target.shown.error_unit));
    second += fmt::format("{:>10}{:>10}", "RMSE", "MAE");
  }
  out += "\n" + second + "\n";
  for (const auto& [name, row] : rows_) out += line(name, width, row);
  out += line("all", width, total());
  if (const std::string base = base_alone_text(total().base_errors); !base.empty()) out += base + "\n";
  return out;
}

std::string ErrorTable::json() const {
  Json json = {{"config_types", Json::object()}, {"all", to_json(total())}};
  for (const auto& [name, row] : rows_) json["config_types"][name] = to_json(row);
  for (const TargetInfo& target : targets()) json["units"][target.shown.name] = target.shown.error_unit;
  if (const Row all = total(); !base_alone_text(all.base_errors).empty())
    for (const TargetInfo& target : targets()) json["base_alone"][target.shown.name] = to_json(all.base_errors[target.property]);
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

PerTarget<ErrorSummary> base_errors(const Structure& frame, const Prediction& prediction) {
  PerTarget<ErrorSummary> errors;
  for (const TargetInfo& target : targets()) {
    const std::vector<double>&predicted = prediction.base_alone[target.property], reference = target.rows(frame);
    const auto scale = target.shown_scale(frame);
    if (!scale || predicted.size() != reference.size()) continue;
    for (std::size_t i = 0; i < predicted.size(); ++i)
      if (!target.is_masked(frame, static_cast<int>(i)))
        errors[target.property].add((*scale)(predicted[i] - reference[i]) * target.shown.error_factor);
  }
  return errors;
}

std::string base_alone_text(const PerTarget<ErrorSummary>& errors) {
  std::string list;
  for (const TargetInfo& target : targets())
    if (const ErrorSummary& of_target = errors[target.property]; of_target.count > 0)
      list += fmt::format("{}{} {} {}", list.empty() ? "" : ", ", target.shown.name, number(of_target.rmse(), target.shown.digits),
                          target.shown.error_unit);
  return list.empty() ? "" : "base alone: " + list + " (RMSE)";
}

}  // namespace gapkit
