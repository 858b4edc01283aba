#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/report/uncertainty_table.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

Json number(double x) {
  return std::isfinite(x) ? Json(x) : Json(nullptr);
}

Json to_json(const Estimate& e) {
  return {{"value", number(e.value)}, {"low", number(e.low)}, {"high", number(e.high)}};
}

Json to_json(const UncertaintyMetrics& m) {
  Json json = {{"count", m.count}, {"without_bar", m.without_bar}, {"structures", m.structures}};
  if (m.count == 0) return json;
  json["zms"] = to_json(m.zms);
  json["bins"] = Json::array();
  for (const StdBin& b : m.bins)
    json["bins"].push_back({{"count", b.count}, {"std", number(b.std)}, {"rmse", number(b.rmse)}, {"zms", to_json(b.zms)}});
  json["nll"] = to_json(m.nll);
  json["constant_std"] = number(m.constant_std);
  json["constant_nll"] = number(m.constant_nll);
  json["nll_difference"] = to_json(m.nll_difference);
  json["coverage68"] = to_json(m.coverage68);
  json["coverage95"] = to_json(m.coverage95);
  json["miscalibration_area"] = to_json(m.miscalibration_area);
  json["sharpness"] = to_json(m.sharpness);
  json["spearman"] = to_json(m.spearman);
  json["perfect_spearman"] = to_json(m.perfect_spearman);
  return json;
}

Json to_json(const VectorUncertaintyMetrics& m) {
  Json json = {{"count", m.count}, {"without_bar", m.without_bar}, {"structures", m.structures}};
  if (m.count == 0) return json;
  json["zms"] = to_json(m.zms);
  json["sharpness"] = to_json(m.sharpness);
  json["spearman"] = to_json(m.spearman);
  json["perfect_spearman"] = to_json(m.perfect_spearman);
  return json;
}

Json to_json(const UncertaintyTable::Metrics& m) {
  Json json;
  for (const TargetInfo& target : targets()) {
    json[target.shown.name] = to_json(m.rows[target.property]);
    if (target.is_vector_of_atoms()) json[target.shown.vectors] = to_json(m.vectors[target.property]);
  }
  for (const TargetInfo& target : targets())
    if (target.vanishing > 0) json["vanishing_" + std::string(target.shown.plural)] = m.vanishing[target.property];
  return json;
}

std::string cell(const Estimate& e, int digits) {
  if (!std::isfinite(e.value)) return fmt::format("{:>20}", "-");
  if (!std::isfinite(e.low)) return fmt::format("{:>20}", fmt::format("{:.{}f}", e.value, digits));
  return fmt::format("{:>20}", fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", e.value, digits, e.low, digits, e.high, digits));
}

std::string ranks(const Estimate& observed, const Estimate& perfect) {
  return fmt::format("{:>13}", std::isfinite(observed.value) ? fmt::format("{:.2f} ({:.2f})", observed.value, perfect.value) : "-");
}

std::string line(const std::string& name, const UncertaintyMetrics& m) {
  if (m.count == 0) return "";
  return fmt::format("{:<18}{:>9}{}{}{}  {}{}\n", name, m.count, cell(m.zms, 2), cell(m.coverage68, 2), cell(m.coverage95, 2),
                     cell(m.nll_difference, 2), ranks(m.spearman, m.perfect_spearman));
}

/// "0.97 / 0.69 / 0.95"
std::string brief(const UncertaintyMetrics& m) {
  if (m.count == 0) return "-";
  return fmt::format("{:.2f} / {:.2f} / {:.2f}", m.zms.value, m.coverage68.value, m.coverage95.value);
}

/// The rows of one frame.
void add_rows(const TargetInfo& target, const TargetInfo::Scale& scale, const std::vector<ComparedRow>& compared, int index,
              UncertaintyTable::Rows& rows) {
  const Property p = target.property;
  const auto error_of = [&](const ComparedRow& c) { return scale(c.error()) * target.shown.error_factor; };
  const auto std_of = [&](const ComparedRow& c) { return std::abs(scale(c.std)) * target.shown.error_factor; };
  const auto vanishes = [&](const ComparedRow& c) { return target.vanishes(c.predicted, c.reference, c.epistemic); };
  for (const ComparedRow& c : compared)
    if (vanishes(c))
      ++rows.vanishing[p];
    else
      rows.rows[p].add(error_of(c), std_of(c), index);
  if (!target.is_vector_of_atoms()) return;
  for (std::size_t i = 0; i + 3 <= compared.size(); i += 3) {  // the three components of an atom
    const ComparedRow &x = compared[i], &y = compared[i + 1], &z = compared[i + 2];
    if (vanishes(x) && vanishes(y) && vanishes(z)) continue;
    rows.vectors[p].add({error_of(x), error_of(y), error_of(z)}, {std_of(x), std_of(y), std_of(z)}, index);
  }
}

}  // namespace

bool UncertaintyTable::Rows::empty() const {
  return std::all_of(rows.begin(), rows.end(), [](const ErrorsWithBars& r) { return r.size() == 0; });
}

void UncertaintyTable::add(const Structure& frame, const Prediction& prediction) {
  const int index = frames_++;
  Rows& own = config_types_[frame.config_type];
  for (const TargetInfo& target : targets()) {
    const auto scale = target.shown_scale(frame);
    if (!scale || prediction.std_of(target.property).empty()) continue;
    const std::vector<ComparedRow> compared = compared_rows(frame, prediction, target);
    for (Rows* rows : {&all_, &own}) add_rows(target, *scale, compared, index, *rows);
  }
  if (own.empty()) config_types_.erase(frame.config_type);
}

UncertaintyTable::Metrics UncertaintyTable::metrics(const Rows& rows, const BootstrapOptions& options) {
  Metrics result;
  for (const TargetInfo& target : targets()) {
    const Property p = target.property;
    result.rows[p] = uncertainty_metrics(rows.rows[p], options);
    result.vectors[p] = uncertainty_metrics(rows.vectors[p], options);
    result.vanishing[p] = rows.vanishing[p];
  }
  return result;
}

std::string UncertaintyTable::text(const std::string& calibration) const {
  const Metrics m = metrics(all_);
  std::string out = fmt::format("{:<18}{:>9}{:>20}{:>20}{:>20}{:>22}{:>13}\n", "error bars", "count", "ZMS (1)", "|z| < 1 (0.68)",
                                "|z| < 1.96 (0.95)", "NLL - constant's", "rho (ideal)");
  for (const TargetInfo& target : targets()) {
    out += line(target.shown.components, m.rows[target.property]);
    const VectorUncertaintyMetrics& v = m.vectors[target.property];
    if (v.count > 0)
      out += fmt::format("{:<18}{:>9}{}{:>62}{}\n", target.shown.plural + std::string(" of atoms"), v.count, cell(v.zms, 2), "",
                         ranks(v.spearman, v.perfect_spearman));
  }
  if (config_types_.size() > 1) {
    std::size_t width = 16;
    for (const auto& [name, rows] : config_types_) width = std::max(width, name.size() + 1);
    out += fmt::format("\n{:<{}}", "ZMS / 68 % / 95 %", width + 2);
    for (const TargetInfo& target : targets()) out += fmt::format("{:>24}", target.shown.name);
    for (const auto& [name, rows] : config_types_) {
      const Metrics own = metrics(rows, {.resamples = 0});
      out += fmt::format("\n{:<{}}", name, width + 2);
      for (const TargetInfo& target : targets()) out += fmt::format("{:>24}", brief(own.rows[target.property]));
    }
    out += "\n";
  }
  out += fmt::format("z: error / std, {}; ZMS: mean of z²; constant: the best single error bar; rho: of |error| and std; [95 % interval]\n",
                     calibration);
  std::string counts;
  for (const TargetInfo& target : targets())
    if (target.vanishing > 0)
      counts += fmt::format("{}{} {}", counts.empty() ? "" : " and ", m.vanishing[target.property], target.std_names.front());
  if (std::any_of(m.vanishing.begin(), m.vanishing.end(), [](long n) { return n > 0; }))
    out += fmt::format("without {} components that symmetry makes zero\n", counts);
  return out;
}

std::string UncertaintyTable::json() const {
  Json json = {{"all", to_json(metrics(all_))}, {"config_types", Json::object()}};
  for (const auto& [name, rows] : config_types_) json["config_types"][name] = to_json(metrics(rows));
  for (const TargetInfo& target : targets()) {
    json["units"][target.shown.name] = target.shown.error_unit;
    if (target.is_vector_of_atoms()) json["units"][target.shown.vectors] = target.shown.error_unit;
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gapkit
