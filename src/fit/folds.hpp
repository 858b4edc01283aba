#pragma once

#include <gapkit/core/structure.hpp>
#include <gapkit/fit/options.hpp>
#include <gapkit/model/statistics.hpp>

namespace gapkit {

/// Divides frames into folds for cross-validation; one at a time, in the order of the data.
///
/// contiguous: each config type is cut into stretches of its frames, since neighbours in a trajectory are alike; random: parts of equal
/// size; key:<field>: frames with the same value of the field stay together, new values go to the folds in turn.
class FoldAssigner {
 public:
  /// frames: of each config type. Without folds (options.folds 0) every frame is in fold 0.
  FoldAssigner(const OptimizeOptions& options, std::map<std::string, std::int64_t> frames, std::uint64_t seed);

  /// Fold of the next frame. Call it once for every frame. Throws InputError naming the frame if it lacks the field.
  int next(const Structure& frame);
  int folds() const { return std::max(folds_, 1); }

 private:
  int folds_;
  std::string field_;  // of key:<field>
  std::map<std::string, std::int64_t> frames_, seen_;
  std::map<std::string, int> type_number_;
  std::map<std::string, int> value_fold_;
  std::vector<int> shuffled_;  // random: fold of each frame
  std::size_t count_ = 0;
};

/// The groups once for each fold: the groups of fold f begin at f × their number. If there are several folds, those of rows that are never
/// left out follow.
std::vector<RowGroup> groups_of_folds(const std::vector<RowGroup>& groups, int folds);

}  // namespace gapkit
