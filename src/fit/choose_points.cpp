#include "fit/choose_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <gapkit/core/errors.hpp>

namespace gapkit {
namespace {

int place_of(const std::string& name, const std::vector<std::string>& config_types) {
  const auto found = std::find(config_types.begin(), config_types.end(), name);
  return found == config_types.end() ? -1 : static_cast<int>(found - config_types.begin());
}

template <class T>
void keep_at(std::vector<T>& values, const std::vector<int>& places) {
  for (std::size_t i = 0; i < places.size(); ++i) values[i] = values[static_cast<std::size_t>(places[i])];
  values.resize(places.size());
}

}  // namespace

Candidates candidates_at(const Candidates& all, const std::vector<int>& places) {
  Candidates result;
  result.x = all.x(places, Eigen::all);
  result.covariance_cutoff = all.covariance_cutoff(places);
  for (const int place : places) {
    const auto i = static_cast<std::size_t>(place);
    result.config_type.push_back(all.config_type[i]);
    result.origin.push_back(all.origin[i]);
    result.serial.push_back(all.serial[i]);
  }
  return result;
}

void keep_candidates(Candidates& candidates, const std::vector<int>& places) {
  const auto count = static_cast<Eigen::Index>(places.size());
  for (Eigen::Index i = 0; i < count; ++i) {
    const int from = places[static_cast<std::size_t>(i)];
    if (from == i) continue;
    candidates.x.row(i) = candidates.x.row(from);
    candidates.covariance_cutoff[i] = candidates.covariance_cutoff[from];
  }
  candidates.x.conservativeResize(count, Eigen::NoChange);
  candidates.covariance_cutoff.conservativeResize(count);
  keep_at(candidates.config_type, places);
  keep_at(candidates.origin, places);
  keep_at(candidates.serial, places);
}

void check_quotas(const TermOptions& term, const std::vector<std::string>& config_types) {
  for (const auto& [name, count] : term.config_type_n_sparse)
    if (place_of(name, config_types) < 0)
      throw InputError(fmt::format("term '{}': config_type_n_sparse names config type '{}', which does not occur in the training data{}",
                                   term.name, name, suggestion(name, config_types)));
}

std::vector<int> choose_points(const TermOptions& term, const Candidates& candidates, const std::vector<std::string>& config_types,
                               const SelectionRequest& request, const std::function<void(const std::string&)>& warn) {
  check_quotas(term, config_types);
  const SelectionKind& method = selection_kind(term.selection);
  SelectionRequest part = request;
  const auto available = static_cast<int>(candidates.x.rows());
  if (term.config_type_n_sparse.empty()) {
    part.count = term.n_sparse;
    if (part.count > available)
      warn(fmt::format("n_sparse is {}, but there are only {} distinct environments; all are taken", part.count, available));
    return method.choose(candidates, part);
  }

  // Places of the candidates: one list per quota, the last one for all other config types.
  std::vector<std::size_t> list_of(config_types.size(), term.config_type_n_sparse.size());
  std::size_t quotas = 0;
  for (const auto& [name, count] : term.config_type_n_sparse) list_of[static_cast<std::size_t>(place_of(name, config_types))] = quotas++;
  std::vector<std::vector<int>> places(quotas + 1);
  for (int i = 0; i < available; ++i) {
    const int config_type = candidates.config_type[static_cast<std::size_t>(i)];
    places[list_of[static_cast<std::size_t>(config_type)]].push_back(i);
  }
  std::vector<int> chosen;
  const auto choose_from = [&](const std::vector<int>& list, int count) {
    if (list.empty() || count == 0) return;
    part.count = count;
    for (const int i : method.choose(candidates_at(candidates, list), part)) chosen.push_back(list[static_cast<std::size_t>(i)]);
    part.seed += 0x9E3779B97F4A7C15u;  // other random numbers for the next list
  };
  std::size_t quota = 0;
  for (const auto& [name, count] : term.config_type_n_sparse) {
    const auto& list = places[quota++];
    if (count > static_cast<int>(list.size()))
      warn(fmt::format("config_type_n_sparse asks for {} sparse points of '{}', which has only {} distinct environments; all are taken",
                       count, name, list.size()));
    choose_from(list, count);
  }
  if (term.n_sparse > static_cast<int>(places.back().size()))
    warn(fmt::format(
        "n_sparse is {}, but the config types without a quota have only {} distinct environments; all are taken (n_sparse counts "
        "in addition to config_type_n_sparse)",
        term.n_sparse, places.back().size()));
  choose_from(places.back(), term.n_sparse);
  return chosen;
}

}  // namespace gapkit
