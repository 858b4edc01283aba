#pragma once

#include <functional>
#include <gapkit/core/kept_neighbors.hpp>
#include <gapkit/predict/predictor.hpp>
#include <memory>

namespace gapkit::serve {

/// Models that predict the same structures, on one list of neighbours that is kept from structure to structure. One model is a committee
/// too.
class Committee {
 public:
  /// error_bar_points: as of Predictor.
  explicit Committee(std::span<const std::shared_ptr<const Model>> models, int error_bar_points = 0);

  /// The prediction of each member; valid until the next call. Throws as Predictor.
  std::span<const Prediction> compute(const Structure& structure, const PredictionRequest& request);
  /// How often neighbours have been looked for.
  std::size_t lists_made() const { return neighbors_.lists_made(); }

 private:
  std::vector<std::unique_ptr<Predictor>> predictors_;
  std::vector<Prediction> predictions_;
  KeptNeighbors neighbors_;
  double cutoff_ = 0;  // Å, the longest
};

/// Mean over members: eV, eV/Å, eV.
struct Mean {
  double energy = 0;
  Positions forces;
  Matrix3 virial;
};
Mean mean_of(std::span<const Prediction> members);

/// Standard deviation of numbers of each member from their mean (n − 1 in the denominator), entry by entry; members.size() > 1. `values`
/// gives a vector of equal length for each.
Vector spread_of(std::span<const Prediction> members, const std::function<Vector(const Prediction&)>& values);

}  // namespace gapkit::serve
