#pragma once

#include <gapkit/core/types.hpp>

/// Shared by reading and writing of GAP XML: codes, and the order of SOAP features.
namespace gapkit {

/// methods.md, section 2.
enum class QuipCovariance { ard_se = 1, dot_product = 2, bond_real_space = 3, piecewise_polynomial = 4 };

/// For each SOAP feature with the species in the order `to`, its place with the species in the order `from`: the same elements in
/// another order. Features run over a = 0 … K−1, b ≤ a, l fastest, with channel a = species index · n_max + n.
std::vector<Eigen::Index> soap_feature_order(int n_max, int l_max, std::span<const int> from, std::span<const int> to);

}  // namespace gapkit
