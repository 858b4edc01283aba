#pragma once

#include <gapkit/core/progress.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/model/relative_novelty.hpp>

#include "fit/leave_one_out.hpp"

namespace gapkit {

/// The local energy of an atom whose structure and its sparse points were left out of the fit.
struct LeftOutAtom {
  int element = 0;
  double relative = 0;  ///< ν²
  double variance = 0;  ///< novelty + data, eV²
};

/// Local energies of the atoms of structures that are left out. Re-entrant.
class LocalEnergies {
 public:
  /// The model must outlive the object.
  explicit LocalEnergies(const Model& model);

  struct Rows {
    std::vector<int> element;
    Matrix rows;   ///< φ S, [atoms, M]
    Matrix prior;  ///< [atoms, terms]
  };
  Rows of(const Structure& structure) const;
  /// `structure` has the rows as its others, and `found` is of it.
  std::vector<LeftOutAtom> left_out(const Rows& rows, const WeightedRows& structure, const LeftOutRows& found) const;

 private:
  const Model& model_;
  KernelRows kernels_;
  RelativeNovelty novelty_;
  Vector scale_;  // s_t²
};

/// The thresholds of the elements with enough left-out atoms (methods.md, section 5). Reports elements with few or none.
std::vector<ExtrapolationThreshold> extrapolation_thresholds(const Model& model, const std::vector<LeftOutAtom>& atoms,
                                                             const ProgressCallback& progress);

}  // namespace gapkit
