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
  /// ν² without the sparse points of the frames around either, and of as many random ones (NearCopies); 0: unknown
  double relative_around = 0, relative_random = 0;
  double full = 0, full_around = 0, full_random = 0;  ///< the same of the terms of the full spectrum alone
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

/// Whether the energies of structures with these numbers of atoms of each element settle the share of every element: not if all have the
/// same composition. Columns: elements.
bool settles_elements(const Matrix& counts);

/// The thresholds of the elements with enough left-out atoms (methods.md, section 5). Reports elements with few or none. `has_std`: false
/// if the variances of local energies mean nothing (settles_elements); then the thresholds of √variance are no_threshold.
std::vector<ExtrapolationThreshold> extrapolation_thresholds(const Model& model, const std::vector<LeftOutAtom>& atoms, bool has_std,
                                                             const ProgressCallback& progress);

}  // namespace gapkit
