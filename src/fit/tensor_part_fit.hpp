#pragma once

#include <gapkit/model/tensor_kernel.hpp>

#include "fit/tensor_data.hpp"

namespace gapkit {

/// The fit of one λ: statistics of the rows, σ and δ, posterior, and the left-out calibration.
class TensorPartFit {
 public:
  /// All must outlive the object.
  TensorPartFit(const TensorOptions& options, const std::vector<TensorTerm>& terms, const TensorFacts& facts, int lambda, double jitter);

  Eigen::Index columns() const { return part_.factor.size(); }
  /// `label`: Cartesian.
  void add(const Structure& frame, const std::vector<TensorEnvironments>& environments, const Matrix& label);
  void solve();
  /// Leaves the frame out in closed form. After solve().
  void leave_out(const Structure& frame, std::int64_t number, const std::vector<TensorEnvironments>& environments, const Matrix& label);
  /// `has_scale`: the error bars get the factor from the left-out frames.
  TensorPart finish(bool has_scale, TensorReport& report);

 private:
  void optimize();
  Matrix residual_label(const Structure& frame, const Matrix& label) const;
  std::vector<Eigen::Index> own_columns(std::int64_t number) const;

  const TensorOptions& options_;
  const std::vector<TensorTerm>& terms_;
  double rms_;  // of labels over h
  TensorPart part_;
  std::unique_ptr<TensorKernel> kernel_;
  SufficientStatistics statistics_;
  double mahalanobis_ = 0, error_square_ = 0;
  std::int64_t left_out_ = 0, left_out_rows_ = 0;
};

}  // namespace gapkit
