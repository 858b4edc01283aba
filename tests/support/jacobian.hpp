#pragma once

#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit::test {

/// Row 3q+a of a block of the Jacobian over all features [size], without the part of the projection.
inline Vector jacobian_row(const JacobianBlock& block, std::size_t q, std::size_t a, Eigen::Index size) {
  Vector result = Vector::Zero(size);
  for (Eigen::Index c = 0; c < block.values.cols(); ++c)
    result[block.has_all_features() ? c : block.feature[static_cast<std::size_t>(c)]] +=
        block.values(static_cast<Eigen::Index>(3 * q + a), c);
  for (Eigen::Index n = 0; n < block.radial.cols(); ++n)
    for (std::size_t c = 0; c < block.radial_feature.size(); ++c)
      result[block.radial_feature[c]] += block.vector[q].normalized()[static_cast<Eigen::Index>(a)] *
                                         block.radial(static_cast<Eigen::Index>(q), n) *
                                         block.direction(block.environment[q] * block.radial.cols() + n, static_cast<Eigen::Index>(c));
  return result;
}

}  // namespace gapkit::test
