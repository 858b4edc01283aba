#include "selection_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/kind_table.hpp>

namespace gapkit {
namespace {

void check(const std::string& method, const Candidates& candidates, const SelectionRequest& request) {
  const Eigen::Index n = candidates.x.rows();
  if (n == 0 || candidates.x.cols() == 0)
    throw InputError(fmt::format("selection '{}': no candidate environments to choose sparse points from", method));
  if (request.count < 1)
    throw InputError(fmt::format("selection '{}': asked for {} sparse points, expected at least 1", method, request.count));
  if (candidates.covariance_cutoff.size() != n)
    throw InputError(
        fmt::format("selection '{}': {} candidates with {} covariance cutoffs", method, n, candidates.covariance_cutoff.size()));
  for (Eigen::Index i = 0; i < n; ++i)
    if (!candidates.x.row(i).allFinite() || !std::isfinite(candidates.covariance_cutoff[i]))
      throw InputError(
          fmt::format("selection '{}': candidate {} has a feature or covariance cutoff that is not a finite number", method, i));
}

/// Checks the arguments and limits the count to the number of candidates.
SelectionKind checked(SelectionKind kind) {
  kind.choose = [name = kind.name, choose = kind.choose](const Candidates& candidates, const SelectionRequest& request) {
    check(name, candidates, request);
    SelectionRequest possible = request;
    possible.count = static_cast<int>(std::min<Eigen::Index>(request.count, candidates.x.rows()));
    return choose(candidates, possible);
  };
  return kind;
}

}  // namespace

const std::vector<SelectionKind>& selection_kinds() {
  static const std::vector<SelectionKind> kinds = {checked(cur_kind()),    checked(cur_deterministic_kind()),
                                                   checked(fps_kind()),    checked(variance_kind()),
                                                   checked(random_kind()), checked(uniform_kind())};
  return kinds;
}

const SelectionKind& selection_kind(std::string_view name) {
  return find_kind(selection_kinds(), name, "selection");
}

}  // namespace gapkit
