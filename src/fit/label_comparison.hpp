#pragma once

#include <functional>
#include <gapkit/math/linear_algebra.hpp>
#include <vector>

#include "fit/label_transformations.hpp"

namespace gapkit {

/// Labels of one property against predictions in some frames of one config type.
struct ComparedLabels {
  Matrix reference, predicted;  ///< [frames, 1] energies; [frames, 6] virials, xx yy zz yz xz xy
  /// [frames, any] atoms of each element, or ones: the part of labels that is linear in these is removed before a comparison.
  Matrix removed;
  Vector atoms, volume;  ///< of each frame

  /// Frames beyond the parameters of `removed`.
  Eigen::Index freedom() const;
};

/// One for each config type.
using LabelsOfTypes = std::vector<ComparedLabels>;

/// Σ over frames and columns, without the part `removed`.
struct RegressionSums {
  double xx = 0, xy = 0, yy = 0;  // x: prediction, y: transformed reference

  void add(const ComparedLabels& labels, const LabelTransformation& transformation, const std::vector<int>& reference_columns,
           const std::vector<int>& predicted_columns);
  double slope() const { return xy / xx; }
  double correlation() const;
  double explained() const { return 1 - (xx - 2 * xy + yy) / yy; }
  /// Σ (y − x)² / Σ (y² + x²). 0: equal; near 1: unrelated or of another size; 2: reversed.
  double mismatch() const { return (xx - 2 * xy + yy) / (xx + yy); }
};

/// A judgement on labels.
struct LabelVerdict {
  enum class Kind { undecided, right, wrong };
  Kind kind = Kind::undecided;
  std::vector<std::size_t> candidates;  ///< if they are wrong: transformations that explain them about equally well, the best first
  RegressionSums before, after;         ///< of the original labels, and with the best candidate
};

/// Labels are wrong if one of the candidates 1 … count−1 explains them much better than candidate 0, which leaves them unchanged. All
/// sources of predictions are tried for both.
LabelVerdict judge(std::size_t sources, std::size_t count,
                   const std::function<RegressionSums(std::size_t source, std::size_t candidate)>& sums);

}  // namespace gapkit
