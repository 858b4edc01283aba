#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit {

/// ExtrapolationThreshold::std where the variances of local energies mean nothing, eV: the grade is that of the novelty then.
inline constexpr double no_std_threshold = 1e30;

/// ν² of an atom's local energy: novelty over prior of each term, weighted with the squared amplitude of the terms of the atom's element
/// (methods.md, section 5). Between 0 and 1; does not depend on the number of environments in a term.
class RelativeNovelty {
 public:
  /// The model must outlive the object.
  explicit RelativeNovelty(const Model& model);

  /// |φ_t|² of whitened rows with their amplitudes, [rows, terms].
  Matrix spanned(const MatrixView& rows) const;
  /// `spanned`: [terms], without what is left out. `prior`: [terms], k** of the local energy without changes of the amplitudes.
  double square(int element, const Eigen::Ref<const Eigen::RowVectorXd>& spanned, const Eigen::Ref<const Eigen::RowVectorXd>& prior) const;
  /// Σ δ_t² s_t² of the terms of an element, eV².
  double amplitude_square(int element) const;

 private:
  bool belongs(std::size_t term, int element) const;

  const Model& model_;
  std::vector<double> unit_;   // k** of one environment with f = κ = 1, eV²
  std::vector<double> scale_;  // s_t²
};

}  // namespace gapkit
