#pragma once

#include <gapkit/config/config.hpp>

namespace gapkit {

/// A long range that may suit data, with the reason why.
struct LongRangeCandidate {
  std::vector<PotentialPointer> potentials;
  std::vector<PropertyOptions> properties;  ///< that they need
  std::string reason;
};

/// Charges that stand in the data; else formal charges of ionic elements that make each composition neutral. Empty if there are none.
std::vector<LongRangeCandidate> long_range_candidates(const DataSummary& data, double cutoff);

/// Tries them with the fit's other options, keeps the one with the smallest errors of left-out structures if it helps, and says so in
/// `reasons`. The options need terms, σ and reference energies.
void choose_long_range(const FitData& given, const DataSummary& data, double cutoff, FitConfiguration& options,
                       std::vector<std::string>& reasons, const ProgressCallback& progress);

}  // namespace gapkit
