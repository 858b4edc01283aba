#include <gapkit/core/errors.hpp>
#include <gapkit/report/report_pages.hpp>
#include <nlohmann/json.hpp>

namespace gapkit {

SparseCounts count_sparse_points(const Model& model, const PredictionRecord& record) {
  SparseCounts counts;
  counts.atoms = record.atoms_of_config_types();
  for (const Term& term : model.terms) {
    std::map<std::string, int> by_type;
    if (term.sparse.origin.empty() && term.sparse.size() > 0) by_type["from a file"] = static_cast<int>(term.sparse.size());
    for (const EnvironmentOrigin& origin : term.sparse.origin) {
      const bool is_known = origin.frame >= 0 && origin.frame < static_cast<std::int64_t>(record.frames().size());
      const std::string name =
          is_known ? record.config_types()[static_cast<std::size_t>(record.frames()[static_cast<std::size_t>(origin.frame)].config_type)]
                   : std::string("unknown");
      ++by_type[name];
    }
    counts.terms.emplace_back(term.label(), std::move(by_type));
  }
  return counts;
}

std::string sparse_counts_to_json(const SparseCounts& counts) {
  nlohmann::ordered_json json = {{"atoms", counts.atoms}, {"terms", nlohmann::ordered_json::array()}};
  for (const auto& [label, by_type] : counts.terms) json["terms"].push_back({{"label", label}, {"config_types", by_type}});
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

SparseCounts sparse_counts_from_json(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    SparseCounts counts;
    counts.atoms = json.at("atoms").get<std::map<std::string, std::int64_t>>();
    for (const auto& term : json.at("terms"))
      counts.terms.emplace_back(term.at("label").get<std::string>(), term.at("config_types").get<std::map<std::string, int>>());
    return counts;
  } catch (const nlohmann::json::exception& e) {
    throw InputError(std::string("the model's note '") + sparse_counts_note + "' is damaged: " + e.what());
  }
}

}  // namespace gapkit
