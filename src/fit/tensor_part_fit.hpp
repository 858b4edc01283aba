#pragma once

#include <gapkit/model/tensor_kernel.hpp>

#include "fit/leave_one_out.hpp"
#include "fit/tensor_data.hpp"

namespace gapkit {

/// A training frame of a tensor with what it has of the labels.
struct TensorFrame {
  const Structure& structure;
  std::int64_t number;
  const Environments& neighbors;
  std::vector<TensorEnvironments> environments;  ///< of each term
  std::optional<Matrix> label, derivatives;      ///< Cartesian, as read_tensor() and read_tensor_derivatives() give them
};

/// The fit of one λ: statistics of the rows, σ and δ, posterior, and the left-out calibration.
class TensorPartFit {
 public:
  /// All must outlive the object.
  TensorPartFit(const TensorOptions& options, const std::vector<TensorTerm>& terms, const TensorFacts& facts, int lambda,
                const FitOptions& all);

  /// Goes on from a fitted part, with its σ and δ: add() takes further frames, and solve_with_more() has all.
  TensorPartFit(const TensorOptions& options, const std::vector<TensorTerm>& terms, const TensorFacts& facts, TensorPart part);

  Eigen::Index columns() const { return part_.factor.size(); }
  void add(const TensorFrame& frame);
  void solve();
  /// The part with the frames that were added to it; its calibration stays.
  TensorPart solve_with_more();
  /// Leaves the frame out in closed form. After solve().
  void leave_out(const TensorFrame& frame);
  /// `has_scale`: the error bars get the factor from the left-out frames.
  TensorPart finish(bool has_scale, TensorReport& report);

 private:
  /// Rows of one noise group of a frame before they are whitened, their values and h.
  struct Rows {
    Matrix rows;
    Vector values;
    double scale = 1;
    std::vector<double> prior = {};  // Σ k** of each term; only for VFE
  };
  void make_kernel();
  void add_group(const std::string& config_class, double sigma);
  GroupStatistics* group_of(const std::string& config_class);  // null: no such rows
  Rows rows_of_label(const TensorFrame& frame) const;
  Rows rows_of_derivatives(const TensorFrame& frame) const;
  void add_rows(GroupStatistics* group, Rows rows) const;
  void optimize();
  void count_errors(const TensorFrame& frame, const LeftOutRows& found, const MatrixView& phi, Eigen::Index labels);
  std::vector<Eigen::Index> own_columns(std::int64_t number) const;

  const TensorOptions& options_;
  const std::vector<TensorTerm>& terms_;
  const TensorFacts& facts_;
  bool is_variational_;
  double rms_, derivative_rms_;  // of labels over h
  TensorPart part_;
  std::unique_ptr<TensorKernel> kernel_;
  SufficientStatistics statistics_;
  void choose_scales();
  double mahalanobis_ = 0, error_square_ = 0, derivative_error_square_ = 0;
  std::vector<double> distances_, log_determinants_;  // sums over the left-out structures for each ratio of the scales' squares
  std::int64_t left_out_ = 0, left_out_rows_ = 0, left_out_derivatives_ = 0;
};

}  // namespace gapkit
