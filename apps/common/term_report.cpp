#include "term_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/elements.hpp>
#include <gapkit/descriptors/contracted_channels.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/descriptors/symmetry_functions.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <nlohmann/json.hpp>

namespace gapkit::apps {
namespace {

using Json = nlohmann::ordered_json;

/// Pivots of K_MM above the jitter, or above rounding, as gap-fit reports it.
Eigen::Index effective_rank(const Term& term, double jitter) {
  const Matrix k = sparse_covariance(term);
  if (k.rows() == 0) return 0;
  const double rounding = 4 * static_cast<double>(k.rows()) * std::numeric_limits<double>::epsilon();
  return static_cast<Eigen::Index>(pivoted_cholesky(k, std::max(rounding, jitter / k.diagonal().maxCoeff())).pivot.size());
}

Json compression_json(const Term& term) {
  const FeatureMap* map = term.descriptor->feature_map();
  if (!map) return nullptr;
  return {{"kind", map->kind},
          {"features", map->directions.rows()},
          {"rank", map->directions.cols()},
          {"kept_variance", map->kept_variance},
          {"learned_from", map->frames}};
}

Json channels_json(const Term& term) {
  const ContractedChannels* channels = term.descriptor->contracted_channels();
  if (!channels || !channels->basis()) return nullptr;
  return {{"channels", channels->channels()}, {"of", channels->all_channels()}, {"kept", channels->basis()->kept}};
}

Json functions_json(const Term& term) {
  const ChosenFunctions* functions = term.descriptor->chosen_functions();
  if (!functions || !functions->chosen()) return nullptr;
  const FunctionSet& set = *functions->chosen();
  Json list = Json::array();
  for (std::size_t i = 0; i < set.functions.size(); ++i) {
    const auto row = set.statistics.row(static_cast<Eigen::Index>(i));
    list.push_back({{"function", set.functions[i].text()},
                    {"smallest", row[smallest_value]},
                    {"largest", row[largest_value]},
                    {"mean", row[mean_value]},
                    {"std", row[std_of_values]}});
  }
  return list;
}

std::string functions_text(const Json& term) {
  std::string text =
      fmt::format("  {}: {} symmetry functions, scaling {}; in the training data\n    {:<64}{:>11}{:>11}{:>11}{:>11}\n",
                  term["label"].get<std::string>(), term["functions"].size(), term["descriptor_parameters"]["scaling"].get<std::string>(),
                  "function (eta 1/Å²; r_s, cutoff Å)", "smallest", "largest", "mean", "std");
  for (const Json& f : term["functions"])
    text += fmt::format("    {:<63}{:>11.4g}{:>11.4g}{:>11.4g}{:>11.4g}\n", f["function"].get<std::string>(), f["smallest"].get<double>(),
                        f["largest"].get<double>(), f["mean"].get<double>(), f["std"].get<double>());
  return text;
}

}  // namespace

Json term_json(const Model& model, std::size_t t) {
  const Term& term = model.terms[t];
  const double jitter = model.has_posterior() ? model.factor.jitter()[t] : 0;
  const double scale = model.has_posterior() ? model.posterior.delta_ratio[t] : 1;  // of an optimisation
  std::vector<std::string> elements;
  for (const int z : term.elements) elements.push_back(element_symbol(z));
  return {{"label", term.label()},
          {"descriptor", term.descriptor_name},
          {"descriptor_parameters", Json::parse(parameters_to_json(term.descriptor->parameters()))},
          {"kernel", term.kernel_name},
          {"kernel_parameters", Json::parse(parameters_to_json(term.kernel->parameters()))},
          {"species", combination_name(term.species)},
          {"neighbor_elements", elements},
          {"features", term.descriptor->size()},
          {"functions", functions_json(term)},
          {"channels", channels_json(term)},
          {"compression", compression_json(term)},
          {"sparse_points", term.sparse.size()},
          {"effective_rank", effective_rank(term, jitter)},
          {"delta", scale * term.delta},
          {"jitter", model.has_posterior() ? Json(jitter) : Json(nullptr)}};
}

std::string terms_text(const Json& terms) {
  std::string text = fmt::format("{:<28}{:>10}{:>15}{:>16}{:>12}{:>14}\n", "term", "features", "sparse points", "effective rank",
                                 "delta (eV)", "jitter (eV²)");
  for (const Json& term : terms)
    text += fmt::format("{:<28}{:>10}{:>15}{:>16}{:>12.4g}{:>13}\n", term["label"].get<std::string>(), term["features"].get<int>(),
                        term["sparse_points"].get<int>(), term["effective_rank"].get<int>(), term["delta"].get<double>(),
                        term["jitter"].is_null() ? "-" : fmt::format("{:.3g}", term["jitter"].get<double>()));
  for (const Json& term : terms)
    text += fmt::format("  {}: {} {}, {} {}\n", term["label"].get<std::string>(), term["descriptor"].get<std::string>(),
                        term["descriptor_parameters"].dump(), term["kernel"].get<std::string>(), term["kernel_parameters"].dump());
  for (const Json& term : terms)
    if (!term["functions"].is_null()) text += functions_text(term);
  for (const Json& term : terms) {
    const Json& channels = term["channels"];
    if (channels.is_null()) continue;
    const auto kept = channels["kept"].get<std::vector<double>>();
    text += fmt::format("  {}: {} of {} channels for each l; they lack {:.2g} of the mean square of the coefficients at most\n",
                        term["label"].get<std::string>(), channels["channels"].get<int>(), channels["of"].get<int>(),
                        1 - *std::min_element(kept.begin(), kept.end()));
  }
  for (const Json& term : terms) {
    const Json& compression = term["compression"];
    if (compression.is_null()) continue;
    text += fmt::format("  {}: {} of {} features by {}, {:.6g} % of the variance", term["label"].get<std::string>(),
                        compression["rank"].get<int>(), compression["features"].get<int>(), compression["kind"].get<std::string>(),
                        100 * compression["kept_variance"].get<double>());
    const std::size_t frames = compression["learned_from"].size();
    text += frames > 0 ? fmt::format(", learned from the labels of {} frames\n", frames) : "\n";
  }
  return text;
}

}  // namespace gapkit::apps
