#pragma once

#include <gapkit/config/config.hpp>

namespace gapkit {

/// Adds what the choice of a long range needs of a frame: its composition, and columns of charges and volumes.
void note_long_range(const Structure& s, DataSummary& data);

/// A long range that may suit data, with the reason why.
struct LongRangeCandidate {
  std::vector<PotentialPointer> potentials;
  std::vector<PropertyOptions> properties;  ///< that they need
  std::string reason;
};

/// Coulomb energies: of charges that stand in the data, and of formal charges of ionic elements that make each composition neutral.
std::vector<LongRangeCandidate> coulomb_candidates(const DataSummary& data, double cutoff);
/// Dispersion with learned volumes if Hirshfeld volumes stand in the data. `reasons` gets a line if they cannot be relative ones.
std::vector<LongRangeCandidate> dispersion_candidates(const DataSummary& data, double cutoff, std::vector<std::string>& reasons);

/// Tries them with the fit's other options, of each kind keeps the one with the smallest errors of left-out structures if it helps, and
/// says so in `reasons`. The options need terms, σ and reference energies.
void choose_long_range(const FitData& given, const DataSummary& data, double cutoff, FitConfiguration& options,
                       std::vector<std::string>& reasons, const ProgressCallback& progress);

}  // namespace gapkit
