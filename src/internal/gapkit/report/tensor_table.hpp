#pragma once

#include <gapkit/predict/predictor.hpp>
#include <map>
#include <string>

namespace gapkit {

/// Errors of tensors against the labels in the frames, with the mean Mahalanobis distance of their covariances.
///
/// Memory: up to 16 bytes for each of the first 20000 components of a tensor, for figures.
class TensorTable {
 public:
  /// Components, or one of the numbers that do not depend on the orientation, or derivatives.
  struct Row {
    std::int64_t count = 0, components = 0, bars = 0;  ///< count: tensors
    double square = 0;                                 ///< sum of squared errors of components
    Vector reference = {}, references = {};            ///< sums of labels and of their squares, by component
    double mahalanobis = 0;                            ///< Σ eᵀC⁻¹e / components

    double rmse() const;
    double spread() const;  ///< root mean square over the components of the standard deviations of the labels
    double mean_mahalanobis() const { return mahalanobis / static_cast<double>(bars); }
  };
  struct Part {
    TensorKeys keys;
    Row all;                                              ///< of the components
    std::vector<std::pair<std::string, Row>> invariants;  ///< "norm", "isotropic", "anisotropic"
    Row derivatives;
    std::vector<double> references, predictions;  ///< of the first components, those of a matrix as xx yy zz yz xz xy
  };

  /// Compares with the keys and columns of the frame. Throws InputError as read_tensor() does.
  void add(const Structure& frame, const Prediction& prediction);
  bool empty() const;
  const std::vector<Part>& parts() const { return parts_; }
  std::string text() const;
  /// {"dipole": {"units", "count", "rmse", "spread", "mahalanobis", "norm": {"rmse", …}, "derivatives": {"count", "rmse", "spread"}}};
  /// mahalanobis is null without error bars, derivatives without labels.
  std::string json() const;

 private:
  void add_tensor(Part& part, const Structure& frame, const TensorPrediction& found, const Matrix& label);
  void add_invariants(Part& part, const TensorPrediction& found, const Matrix& label);

  std::vector<Part> parts_;
};

}  // namespace gapkit
