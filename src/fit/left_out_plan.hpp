#pragma once

#include <gapkit/fit/dataset.hpp>
#include <gapkit/fit/options.hpp>

namespace gapkit {

/// Which structures are left out for a calibration, by the numbers of their frames, ascending.
struct LeftOutPlan {
  std::vector<std::int64_t> sample;  ///< whose errors calibrate
  std::vector<std::int64_t> needed;  ///< that are left out at all: the sample, or all for the jackknife
  std::vector<std::int64_t> kept;    ///< of these: whose rows the pass over the data keeps
};

/// A sample of at least 100 structures, or of 400 if all are left out, with at least five of each config type, drawn with the seed; or all
/// structures if there are fewer. `known`: frames (ascending) that the features have learned from: they do not calibrate. Rows are kept up
/// to `bytes` (of the sample first) for a model of `points` sparse points.
LeftOutPlan plan_left_out(const DatasetSummary& summary, const FitOptions& options, Eigen::Index points, double bytes,
                          const std::vector<std::int64_t>& known = {});

}  // namespace gapkit
