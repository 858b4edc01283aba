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

/// Derivatives of the features of one environment of an atom by the positions of all atoms: feature, then atom and x, y, z.
inline Matrix derivatives_by_positions(const Features& features, int size, int atom, int atoms) {
  Matrix result = Matrix::Zero(size, 3 * atoms);
  for (const JacobianBlock& block : features.blocks)
    for (std::size_t q = 0; q < block.environment.size(); ++q)
      for (int d = 0; d < 3; ++d) {
        const Vector row = jacobian_row(block, q, static_cast<std::size_t>(d), size);
        result.col(3 * block.neighbor[q] + d) += row;
        result.col(3 * atom + d) -= row;
      }
  return result;
}

}  // namespace gapkit::test
