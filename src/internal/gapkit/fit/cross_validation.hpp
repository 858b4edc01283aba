#pragma once

#include <gapkit/model/posterior.hpp>

namespace gapkit {

/// RowGroup::fold of rows that are in every fit and never left out: their labels have made a map of features.
inline constexpr int never_left_out = -1;

/// Errors on data that were left out, from statistics that are divided into folds (methods.md, section 4): for each fold the weights are
/// solved from the other folds' sums, and its own sums give the squares of the residuals. No kernel is computed again.
///
/// The sparse points were chosen from all folds: good for choosing σ and δ, not for calibrating error bars.
class CrossValidation {
 public:
  struct Value {
    std::vector<double> residual_square;  ///< Σ (y − prediction)²/h² of each group's rows, predicted without its fold
    /// Σ over properties of weight · ½ log(mean of residual_square), rows with a σ of their own left out: a change of an error by
    /// one percent counts the same for all properties.
    double loss = 0;
    std::vector<double> log_sigma_gradient;  ///< of the loss, one per group; add up equal groups of all folds
    std::vector<double> log_delta_gradient;  ///< of the loss, one per term
  };

  /// The statistics must outlive the object. Throws InputError if there are fewer than two folds.
  CrossValidation(const SufficientStatistics& statistics, std::vector<Eigen::Index> offsets, const PerTarget<double>& property_weights);
  CrossValidation(CrossValidation&&) noexcept;
  ~CrossValidation();

  /// sigma: one per group, equal for the same group in different folds. Cost: M³/3 flop and 4 M² per group, for each fold.
  Value compute(const std::vector<double>& sigma, const std::vector<double>& delta_ratio, bool with_gradient = true);

  /// Folds that are computed at a time, each in a thread and with 1.5 M² doubles of its own: for small M, where the products of one fold
  /// are too small for several threads.
  static int lanes(Eigen::Index sparse_points, int folds);

 private:
  struct Point;      // σ, s and whether the gradient is wanted
  struct Fold;       // result of one fold
  struct WorkSpace;  // of a thread
  Fold compute_fold(int fold, const Point& point, WorkSpace& work) const;

  const SufficientStatistics& statistics_;
  std::vector<Eigen::Index> offsets_;
  PerTarget<double> property_weights_;
  std::vector<int> folds_;
  SymmetricAccumulator all_;
  std::vector<WorkSpace> work_;  // one for each lane
};

}  // namespace gapkit
