#pragma once

#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {

/// A linear map of feature vectors x [D] to y = Uᵀ(x − x̄) [r], made from the training data of a fit (methods.md, section 2).
struct FeatureMap {
  std::string kind;          ///< how it was made: "pca", "learned"
  Matrix directions;         ///< U [D, r]
  Vector mean;               ///< x̄ [D]
  double kept_variance = 1;  ///< share of the variance of the training environments in the r directions
  /// Numbers of the training frames whose labels the map depends on, ascending; empty if it depends on no labels.
  std::vector<std::int64_t> frames = {};
};

/// A descriptor with the mapped features of another one; species, cutoff and parameters are those of `base`, which is computed in its
/// short form. The Jacobian is mapped too, so that all later products have r columns: 6 P D r flop per environment.
/// Throws InputError if shapes disagree or numbers are not finite.
std::shared_ptr<const Descriptor> mapped_descriptor(const std::shared_ptr<const Descriptor>& base, FeatureMap map);

}  // namespace gapkit
