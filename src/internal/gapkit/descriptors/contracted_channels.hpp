#pragma once

#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {

/// Matrices that contract the K channels (element, radial function) of a density to q for each l, made from the training data of a fit
/// (methods.md, section 2).
struct ChannelBasis {
  std::vector<Matrix> contraction;  ///< W_l [q, K], l = 0 … l_max; orthonormal rows, the most important first
  std::vector<double> kept;         ///< by l: share of the mean square of the coefficients in the q channels
};

/// The side of a descriptor that contracts channels before it forms products of them. Without a basis it has its size and counts, but
/// cannot be computed.
class ContractedChannels {
 public:
  virtual ~ContractedChannels() = default;

  virtual int channels() const = 0;                    ///< q that was asked for
  virtual int all_channels() const = 0;                ///< K
  virtual const ChannelBasis* basis() const = 0;       ///< null: not made yet
  virtual std::vector<Matrix> no_moments() const = 0;  ///< zeros [K, K] for each l
  /// Adds Σ_m c_lm c_lmᵀ of the environments whose centre is environments.centre[begin … end−1], for each l; c before the contraction.
  /// Returns their number.
  virtual std::int64_t add_moments(const Environments& environments, int begin, int end, std::vector<Matrix>& moments) const = 0;
  /// Throws InputError if shapes disagree or numbers are not finite.
  virtual std::shared_ptr<const Descriptor> with_basis(ChannelBasis basis) const = 0;
};

}  // namespace gapkit
