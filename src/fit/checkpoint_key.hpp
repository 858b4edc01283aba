#pragma once

#include "fit/data_scan.hpp"

namespace gapkit {

/// Checksum of all that sparse points and sums depend on: version, data, and the options that matter to them. σ of a class is not among
/// these, since the sums of its rows do not depend on it (methods.md, section 4); nor are files, memory and what follows after the sums.
/// `held_out`: training frames that are not fitted.
std::string checkpoint_key(const FitOptions& options, const DataScan& scan, const std::vector<std::int64_t>& held_out,
                           const std::map<std::string, SparseSet>& kept_points);

}  // namespace gapkit
