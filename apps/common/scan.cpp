#include "scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/fit/frame_fingerprint.hpp>
#include <limits>

#include "target_words.hpp"
#include "text_file.hpp"

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

// The parts of "2,[1, 2],'a,b'" between commas outside of brackets and quotes.
std::vector<std::string> values_in(const std::string& text) {
  std::vector<std::string> values(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      values.emplace_back();
      continue;
    }
    values.back() += c;
  }
  return values;
}

// Root mean square over the classes of a property; NaN if there is none.
double error_of(const OptimizationReport& report, const std::vector<double>& errors, Property property) {
  double square = 0, rows = 0;
  for (std::size_t g = 0; g < report.groups.size() && g < errors.size(); ++g) {
    if (report.groups[g].property != property || (report.groups[g].fixed && report.given_sigma[g] == 0)) continue;
    square += errors[g] * errors[g] * static_cast<double>(report.rows[g]);
    rows += static_cast<double>(report.rows[g]);
  }
  return rows > 0 ? std::sqrt(square / rows) : std::numeric_limits<double>::quiet_NaN();
}

std::string number_in(const Json& json, const std::string& key) {
  return json.contains(key) && json.at(key).is_number() ? fmt::format("{:.4g}", json.at(key).get<double>()) : "-";
}

/// "fold_energy"
std::string fold_key(const TargetInfo& target) {
  return std::string("fold_") + target.name;
}

}  // namespace

void rethrow_with_name(const std::string& name) {
  try {
    throw;
  } catch (const Interrupted&) {
    throw;
  } catch (const InputError& e) {
    throw InputError("--scan " + name + ": " + e.what());
  } catch (const NumericalError& e) {
    throw NumericalError("--scan " + name + ": " + e.what());
  }
}

Scan::Scan(const std::vector<std::string>& texts) : points_(1) {
  std::vector<std::string> keys;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
      throw InputError(fmt::format("--scan '{}': expected KEY=VALUE,VALUE..., such as term.soap.zeta=2,4,6", text));
    const std::string key = text.substr(0, equals);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) throw InputError(fmt::format("--scan names '{}' twice", key));
    for (const char* fixed : {"output.", "run.memory"})
      if (key.starts_with(fixed)) throw InputError(fmt::format("--scan: '{}' does not change the fit", key));
    keys.push_back(key);
    std::vector<Point> product;
    for (const Point& point : points_)
      for (const std::string& value : values_in(text.substr(equals + 1))) {
        if (value.empty()) throw InputError(fmt::format("--scan '{}': a value is empty", text));
        product.push_back(point);
        product.back().overrides.push_back({key, value});
      }
    points_ = std::move(product);
  }
}

void Scan::make_comparable() {
  const auto learns = [](const Point& point) { return std::any_of(point.options.terms.begin(), point.options.terms.end(), is_learned); };
  if (std::none_of(points_.begin(), points_.end(), learns)) return;
  for (Point& point : points_) point.options.optimize.leaves_out_unlearned = true;
}

std::string Scan::name(std::size_t i) const {
  std::string name;
  for (const ConfigurationOverride& change : points_[i].overrides) name += (name.empty() ? "" : " ") + change.key + "=" + change.value;
  return name;
}

void Scan::read_results() {
  std::map<std::string, std::string> data;  // checksum of the files, which may be a key of the scan
  for (Point& point : points_) {
    std::string files;
    for (const std::string& file : point.options.train) files += file + "\n";
    const TargetKeys& keys = point.options.keys;
    for (const TargetSource& source : target_sources()) files += keys.named(source.name) + " ";
    files += fmt::format("{} {}", keys.config_type, keys.force_mask);
    auto [entry, is_new] = data.try_emplace(files);
    if (is_new) {
      Checksum sum;
      FileDataset(point.options.train, point.options.keys).visit([&](const Structure& s, const FramePlace&) { add_frame(sum, s); });
      entry->second = std::to_string(sum.value());
    }
    Checksum sum;
    sum.add(version);
    sum.add(fit_options_to_toml(point.options));
    sum.add(entry->second);
    point.key = std::to_string(sum.value());
  }
  std::ifstream in(path());
  std::string line;
  while (std::getline(in, line)) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("key") || !json.contains("log_evidence"))
      continue;  // the combination of a damaged line is fitted again
    const auto point = std::find_if(points_.begin(), points_.end(), [&](const Point& p) { return Json(p.key) == json.at("key"); });
    if (point != points_.end())
      point->result = json;
    else
      others_.push_back(json);
  }
  // The file of the best model must exist too.
  std::error_code ignored;
  const std::size_t best = ranking().front();
  if (!std::filesystem::exists(points_.front().options.model_path, ignored)) points_[best].result = nullptr;
}

bool Scan::is_best(double log_evidence) const {
  return std::all_of(points_.begin(), points_.end(),
                     [&](const Point& p) { return p.result.is_null() || p.result.at("log_evidence").get<double>() < log_evidence; });
}

void Scan::add_result(std::size_t i, const FitReport& report, const ErrorTable& validation, double seconds) {
  Point& point = points_[i];
  Json json;
  json["key"] = point.key;
  json["values"] = Json::object();
  for (const ConfigurationOverride& change : point.overrides) json["values"][change.key] = change.value;
  json["log_evidence"] = report.log_evidence;
  if (report.optimization) {
    const OptimizationReport& o = *report.optimization;
    double loss = 0;
    const auto& options = point.options.optimize;
    for (const TargetInfo& target : targets()) {
      const double error = error_of(o, o.after.fold_error, target.property), weight = options.weights[target.property];
      json[fold_key(target)] = std::isfinite(error) ? Json(error) : Json(nullptr);
      if (std::isfinite(error) && weight > 0) loss += weight * std::log(error);
    }
    json["fold_loss"] = loss;
    json["sigma"] = o.after.sigma;
    json["delta"] = Json::array();
    for (std::size_t t = 0; t < o.delta.size(); ++t) json["delta"].push_back(o.delta[t] * o.after.delta_ratio[t]);
  }
  json["validation"] = validation.empty() ? Json(nullptr) : Json::parse(validation.json()).at("all");
  json["seconds"] = seconds;
  point.result = json;
  std::string text;
  for (const Json& other : others_) text += other.dump() + "\n";
  for (const Point& p : points_)
    if (!p.result.is_null()) text += p.result.dump() + "\n";
  write_text_file(path(), text);
}

std::vector<std::size_t> Scan::ranking() const {
  std::vector<std::size_t> order(points_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto evidence = [&](std::size_t i) {
    return points_[i].result.is_null() ? -std::numeric_limits<double>::infinity() : points_[i].result.at("log_evidence").get<double>();
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return evidence(a) > evidence(b); });
  return order;
}

std::string Scan::text() const {
  const std::vector<std::size_t> order = ranking();
  std::size_t width = 12;
  for (std::size_t i = 0; i < size(); ++i) width = std::max(width, name(i).size() + 2);
  std::string units;
  for (const UnitGroup& group : unit_groups())
    units +=
        fmt::format("{}{} in {}{}", units.empty() ? "" : ", ", group.scales_with_atoms ? group.names(" and ") : group.shown_names(" and "),
                    group.unit, group.scales_with_atoms ? " per √N" : "");
  std::string out = fmt::format("Scan, highest evidence first (fold errors: {})\n{:<{}}{:>14}", units, "", width, "log evidence");
  for (const TargetInfo& target : targets()) out += fmt::format("{:>11}", target.name);
  out += fmt::format("{:>11}", "fold rank");
  const bool has_validation = points_.front().result.at("validation").is_object();
  if (has_validation) out += fmt::format("{:>14}{:>12}", "test meV/atom", "test eV/Å");
  out += "\n";
  for (const std::size_t i : order) {
    const Json& r = points_[i].result;
    int rank = 1;
    for (const Point& other : points_) rank += other.result.at("fold_loss").get<double>() < r.at("fold_loss").get<double>();
    out += fmt::format("{:<{}}{:>14.1f}", name(i), width, r.at("log_evidence").get<double>());
    for (const TargetInfo& target : targets()) out += fmt::format("{:>11}", number_in(r, fold_key(target)));
    out += fmt::format("{:>11}", rank);
    if (has_validation && r.at("validation").is_object())
      out += fmt::format("{:>14}{:>12}", number_in(r.at("validation").at("energy"), "rmse"),
                         number_in(r.at("validation").at("forces"), "rmse"));
    out += "\n";
  }
  out += fmt::format("\nModel with the highest evidence: {}\nResults: {}\n", points_.front().options.model_path, path());
  return out;
}

Json Scan::json() const {
  Json list = Json::array();
  for (const std::size_t i : ranking()) list.push_back(points_[i].result);
  return {{"model", points_.front().options.model_path}, {"results", list}};
}

}  // namespace gapkit::apps
