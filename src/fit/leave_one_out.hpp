#pragma once

#include <gapkit/model/posterior.hpp>
#include <mutex>

namespace gapkit {

/// The rows of one structure as the posterior weighs them, in units of their σ_n.
struct WeightedRows {
  Matrix rows;                               ///< X = φ S/σ_n, [n, M]
  Vector target;                             ///< y/σ_n
  std::vector<Eigen::Index> own_points;      ///< sparse points that are environments of this structure, among all
  std::vector<Eigen::Index> wanted_weights;  ///< rows that get LeftOutRows::weights
  Matrix others = {};                        ///< φ S of other observables of the structure, [m, M]
  bool wants_covariances = false;            ///< LeftOutRows::data_covariance and own_covariance
};

/// The same rows without the structure and its sparse points, in units of σ_n and σ_n².
struct LeftOutRows {
  Vector error;            ///< [n] target − prediction
  Vector data;             ///< [n] data part of the variance
  Vector own;              ///< [n] |X B|²: novelty grows by it
  Vector shift;            ///< [M] Δ = u − u without the rows; the sparse points stay
  Vector data_of_others;   ///< [m] data part of the variance, in the unit of their rows
  Matrix others_along;     ///< [m, own points] their rows along the directions of the own points, in the order of these
  Matrix weights;          ///< [wanted, M] P: the prediction of a row changes by P Δ_t where structure t is left out too
  Matrix data_covariance;  ///< [n, n] with the diagonal `data`, on request
  Matrix own_covariance;   ///< [n, n] with the diagonal `own`, on request
};

/// The orthonormal directions of the kernels of some sparse points in whitened space: an orthonormal basis of L⁻¹ e_j, [points, M].
Matrix directions_of_points(const SparseFactor& factor, const std::vector<Eigen::Index>& points);

/// Leaves one structure after the other out of a posterior, in closed form: equal to refits without its rows and sparse points to rounding
/// (methods.md, section 5). Re-entrant.
class LeaveOneOut {
 public:
  /// Both must outlive the object.
  LeaveOneOut(const SparseFactor& factor, const Posterior& posterior) : factor_(factor), posterior_(posterior) {}

  /// Cost: n M² + n² M + n³ flop for n ≤ M rows, else 3 n M² + M³/3. Absent if rounding prevents it: without the rows the least pivot, as a
  /// part of that with them, is below `least_pivot`.
  std::optional<LeftOutRows> without(const WeightedRows& structure, double least_pivot) const;

 private:
  class Removal;
  const Matrix& precision() const;

  const SparseFactor& factor_;
  const Posterior& posterior_;
  mutable std::once_flag once_;
  mutable Matrix precision_;  // A, for structures of many rows
};

}  // namespace gapkit
