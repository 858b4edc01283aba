#pragma once

#include <gapkit/core/progress.hpp>
#include <gapkit/fit/dataset.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/model/statistics.hpp>
#include <set>

#include "fit/kept_rows.hpp"
#include "fit/left_out_plan.hpp"

namespace gapkit {

/// Memory of a calibration besides the rows that are kept.
double left_out_bytes(const FitOptions& options, Eigen::Index points);

/// Calibration of a fit's error bars by leaving its own structures out, one by one, in closed form (methods.md, section 5): made when the
/// sparse points are chosen, filled in the pass over the data, evaluated with the solved model.
class LeftOutCalibration {
 public:
  /// `training`: what the fit sees; it must outlive the object, as must the options. `bytes`: memory for rows of structures. `known`:
  /// frames (ascending) that the features have learned from: they do not calibrate.
  LeftOutCalibration(const Dataset& training, const FitOptions& options, Eigen::Index points, double bytes,
                     const std::vector<std::int64_t>& known);

  /// Collects rows in the pass over the data, and looks at every frame.
  RowSink sink();
  void watch(const Structure& frame, std::int64_t number);

  /// Absent if too few structures have errors. One more pass over the structures whose rows are needed, but were not kept.
  std::optional<Calibration> calibrate(const Model& model, const RowRules& rules, const ProgressCallback& progress);

 private:
  std::set<std::int64_t> repeated() const;

  const Dataset& training_;
  const FitOptions& options_;
  LeftOutPlan plan_;
  std::vector<KeptRows> kept_;
  std::vector<std::pair<std::uint64_t, std::int64_t>> checksums_;  // of all frames, with their numbers
  std::set<std::int64_t> lone_atoms_;
};

}  // namespace gapkit
