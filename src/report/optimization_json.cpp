#include <gapkit/report/optimization_json.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {
namespace {

using Json = nlohmann::ordered_json;

Json state_json(const OptimizationReport& report, const HyperparameterState& state) {
  Json json;
  json["log_evidence"] = state.log_evidence;
  json["groups"] = Json::array();
  for (std::size_t g = 0; g < report.groups.size(); ++g) {
    Json entry = {{"sigma", report.groups[g].fixed ? Json(nullptr) : Json(state.sigma[g])}, {"residual", state.residual[g]}};
    entry["fold_error"] = state.fold_error.empty() ? Json(nullptr) : Json(state.fold_error[g]);
    json["groups"].push_back(entry);
  }
  json["delta"] = Json::array();
  for (std::size_t t = 0; t < report.delta.size(); ++t) json["delta"].push_back(report.delta[t] * state.delta_ratio[t]);
  return json;
}

}  // namespace

Json optimization_json(const OptimizationReport& report) {
  Json json;
  json["objective"] = objective_name(report.objective);
  json["groups"] = Json::array();
  for (std::size_t g = 0; g < report.groups.size(); ++g)
    json["groups"].push_back({{"property", property_name(report.groups[g].property)},
                              {"class", report.groups[g].config_class},
                              {"fixed", report.groups[g].fixed},
                              {"given_sigma", report.given_sigma[g] > 0 ? Json(report.given_sigma[g]) : Json(nullptr)},
                              {"rows", report.rows[g]},
                              {"rows_left_out", report.left_out.at(g)}});
  json["terms"] = report.terms;
  json["before"] = state_json(report, report.before);
  json["after"] = state_json(report, report.after);
  json["evaluations"] = report.evaluations;
  json["trace"] = report.trace;
  json["seconds"] = report.seconds;
  json["warnings"] = report.warnings;
  return json;
}

}  // namespace gapkit
