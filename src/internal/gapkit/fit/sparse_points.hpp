#pragma once

#include "fit/data_scan.hpp"

namespace gapkit {

/// Chooses the sparse points of every draft (methods.md, section 3), drops points that depend linearly on others in spite of the jitter,
/// and returns the finished terms. Takes the candidates of the scan; without them, one pass over the training data gathers them.
std::vector<Term> choose_sparse_points(const FitData& training, const FitOptions& options, DataScan& scan, std::vector<TermReport>& reports,
                                       const FitRun& run);

/// Writes `<prefix>.<term>-<combination>.points` and `.indices`, which `sparse_file` and `sparse_indices` read.
void write_sparse_points(const std::string& prefix, const Term& term, const std::vector<std::int64_t>& serial);

}  // namespace gapkit
