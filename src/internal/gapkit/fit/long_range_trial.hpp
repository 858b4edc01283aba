#pragma once

#include <gapkit/fit/long_range_gain.hpp>

namespace gapkit {

/// What the long-range parts of some options are worth, before a fit with them.
struct LongRangeTrial {
  LongRangeGain gain;
  std::optional<ChargeScale> scale;         ///< found, if the options ask for it
  std::vector<PotentialPointer> baselines;  ///< as tried: with this scale, and the fields of local properties
};

/// Whether errors of left-out structures are smaller with a part than without: clearly on the whole, and neither energies nor forces much
/// worse.
bool helps(const LeftOutErrors& with, const LeftOutErrors& without);

/// Finds what the parts need (the scale of charges, local properties) from a sample of the data, then long_range_gain(). Absent as there.
std::optional<LongRangeTrial> try_long_range(const FitData& data, const FitOptions& options,
                                             const std::map<int, double>& reference_energies, const ProgressCallback& progress = {});

}  // namespace gapkit
