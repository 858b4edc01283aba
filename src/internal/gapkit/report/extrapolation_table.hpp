#pragma once

#include <gapkit/predict/predictor.hpp>
#include <map>

namespace gapkit {

/// Counts of atoms and frames with extrapolation grades above 1 and above 2, per config type and over all frames.
class ExtrapolationTable {
 public:
  struct Row {
    std::int64_t frames = 0, atoms = 0;
    std::int64_t atoms_above_1 = 0, atoms_above_2 = 0;
    std::int64_t frames_above_1 = 0, frames_above_2 = 0;  ///< by the largest grade of their atoms
    double largest = 0;
    std::string where;  ///< place of the largest, if above 1: "test.xyz:7 (frame 2), atom 5 (O)"

    void add(const Row& other);
  };

  /// Nothing without grades in the prediction.
  void add(const Structure& frame, const Prediction& prediction);

  bool empty() const { return rows_.empty(); }
  const std::map<std::string, Row>& config_types() const { return rows_; }
  Row total() const;

  /// Aligned columns with a heading, "all" last, and the place of the largest grade.
  std::string text() const;
  /// {"config_types": {name: {"frames", "atoms", "atoms_above_1", "atoms_above_2", "frames_above_1", "frames_above_2", "largest",
  /// "where"}}, "all": …}; "where" is null without a grade above 1.
  std::string json() const;

 private:
  std::map<std::string, Row> rows_;
};

}  // namespace gapkit
