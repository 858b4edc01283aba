#pragma once

#include <gapkit/predict/predictor.hpp>
#include <string>

namespace gapkit {

/// Errors of tensors against the labels in the frames, with the mean Mahalanobis distance of their covariances.
class TensorTable {
 public:
  struct Row {
    TensorKeys keys;
    std::int64_t count = 0, components = 0, bars = 0;
    double square = 0;                       ///< sum of squared errors of components
    Vector reference = {}, references = {};  ///< sums of labels and of their squares, by component
    double mahalanobis = 0;                  ///< Σ eᵀC⁻¹e / components

    double rmse() const;
    double spread() const;  ///< root mean square over the components of the standard deviations of the labels
    double mean_mahalanobis() const { return mahalanobis / static_cast<double>(bars); }
  };

  /// Compares with the keys and columns of the frame. Throws InputError as read_tensor() does.
  void add(const Structure& frame, const Prediction& prediction);
  bool empty() const;
  const std::vector<Row>& rows() const { return rows_; }
  std::string text() const;
  /// {"dipole": {"units", "count", "rmse", "spread", "mahalanobis"}}; mahalanobis is null without error bars.
  std::string json() const;

 private:
  std::vector<Row> rows_;
};

}  // namespace gapkit
