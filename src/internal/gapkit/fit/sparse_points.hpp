#pragma once

#include "fit/data_scan.hpp"

namespace gapkit {

/// Chooses the sparse points of every draft in one pass over the training data (methods.md, section 3), drops those that are linearly
/// dependent beyond what the jitter holds apart, and returns finished terms with their reports.
std::vector<Term> choose_sparse_points(const FitData& training, const FitOptions& options, const DataScan& scan,
                                       std::vector<TermReport>& reports, const FitRun& run);

/// Writes `<prefix>.<term>-<combination>.points` and `.indices`, which `sparse_file` and `sparse_indices` read.
void write_sparse_points(const std::string& prefix, const Term& term, const std::vector<std::int64_t>& serial);

}  // namespace gapkit
