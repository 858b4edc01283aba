#pragma once

#include <functional>
#include <gapkit/fit/options.hpp>
#include <gapkit/sparsify/selection.hpp>

namespace gapkit {

/// Candidates at these places, in this order.
Candidates candidates_at(const Candidates& all, const std::vector<int>& places);

/// Drops all candidates but those at these places (ascending), without a second copy of the features.
void keep_candidates(Candidates& candidates, const std::vector<int>& places);

/// Throws InputError if the term asks for sparse points of a config type that does not occur.
void check_quotas(const TermOptions& term, const std::vector<std::string>& config_types);

/// Places of the chosen candidates, by the term's selection: first, for each entry of `config_type_n_sparse` in the order of the
/// names, its number of candidates of this config type; then `n_sparse` candidates of all other config types. Without such entries,
/// `n_sparse` of all. `config_types` are the names of Candidates::config_type; `request.count` is ignored. If there are fewer candidates
/// than asked for, all are taken and `warn` gets a message.
std::vector<int> choose_points(const TermOptions& term, const Candidates& candidates, const std::vector<std::string>& config_types,
                               const SelectionRequest& request, const std::function<void(const std::string&)>& warn);

}  // namespace gapkit
