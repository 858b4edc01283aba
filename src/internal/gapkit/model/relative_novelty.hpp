#pragma once

#include <gapkit/model/model.hpp>

namespace gapkit {

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
  /// The same of the terms of the full spectrum alone: those with all features of a descriptor whose features another term of the element
  /// maps to fewer. What the map drops is novel to them only, and their small amplitude hides it in square(). 0 without such terms.
  double full_square(int element, const Eigen::Ref<const Eigen::RowVectorXd>& spanned,
                     const Eigen::Ref<const Eigen::RowVectorXd>& prior) const;
  /// Whether an element has terms of the full spectrum.
  bool has_full(int element) const;
  /// Σ δ_t² s_t² of the terms of an element, eV².
  double amplitude_square(int element) const;

 private:
  bool belongs(std::size_t term, int element) const;
  template <class Chosen>
  double share(const Chosen& is_chosen, const Eigen::Ref<const Eigen::RowVectorXd>& spanned,
               const Eigen::Ref<const Eigen::RowVectorXd>& prior) const;

  const Model& model_;
  std::vector<double> unit_;   // k** of one environment with f = κ = 1, eV²
  std::vector<double> scale_;  // s_t²
  std::vector<bool> full_;     // terms of the full spectrum
};

}  // namespace gapkit
