#pragma once

#include "fit/data_scan.hpp"

namespace gapkit {

/// Checksum of all that sparse points and sums depend on: version, data and some options. The sums do not depend on σ of a class
/// (methods.md, section 4), on files, on memory, and on options of later steps. `held_out`: training frames that are not fitted.
std::string checkpoint_key(const FitOptions& options, const DataScan& scan, const std::vector<std::int64_t>& held_out,
                           const std::map<std::string, SparseSet>& kept_points);

}  // namespace gapkit
