#pragma once

#include <gapkit/core/communicator.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// Takes memory for the sums of the groups that have rows on any rank. `terms`: of the prior variances; 0: they are not summed.
void make_sums(SufficientStatistics& statistics, const std::vector<bool>& has_rows, Eigen::Index points, std::size_t terms);
/// Adds the sums of all ranks to those of rank 0; the others begin anew. Collective, after make_sums() with the same arguments on all.
void move_sums(Communicator& communicator, SufficientStatistics& statistics, const std::vector<bool>& has_rows);

}  // namespace gapkit
