#pragma once

#include <gapkit/fit/fit.hpp>

namespace gapkit {

/// Root mean square errors of structures that were left out of a fit; NaN without such data.
struct LeftOutErrors {
  double energy = 0;  ///< eV per atom
  double force = 0;   ///< eV/Å
};

/// A structure on which a fit without it errs by far more than on others.
struct OddStructure {
  std::string place;
  double with = 0, without = 0;  ///< error with and without the long range, eV per atom or eV/Å
};

/// An estimate of what the long-range parts of a fit are worth, from fits to a sample of the data.
struct LongRangeGain {
  std::string kinds;                               ///< "coulomb", "coulomb and dispersion"
  std::int64_t structures = 0;                     ///< of the sample
  int folds = 0;                                   ///< of the sample, each left out once
  std::int64_t left_out = 0;                       ///< structures: all but those that maps of features are made from
  std::int64_t left_aside = 0;                     ///< of these, those with the largest errors, which `with` and `without` leave aside
  LeftOutErrors with, without;                     ///< of the same left-out structures
  OddStructure worst_energy, worst_force;          ///< those with the largest errors
  double evidence_with = 0, evidence_without = 0;  ///< logarithms, each at its best σ and δ
  /// Of fixed charges alone: the factor with the largest evidence, and its standard deviation; absent if the evidence has no maximum at
  /// positive squares.
  std::optional<double> charge_factor, charge_factor_std;
  bool has_fixed_charges = false;
  std::int64_t charged_cells = 0;  ///< among fitted and left-out structures, periodic with charges that do not sum to 0

  /// One sentence if the long range makes the fit worse or the charges look wrong; empty otherwise.
  std::string warning() const;
};

/// Fits a sample of at most 200 structures (10000 atoms) with and without the long-range parts, each at the σ and δ with the largest
/// evidence, and predicts each structure without the labels of its fold (of five; fewer if the memory is small). For fixed charges also
/// with charges scaled by √½, as at equal σ and δ the evidence is quadratic in the square of the charges. At most 300 sparse points of each
/// term. Absent if there is no long-range part, if a term names environments by number, or for fewer than 10 structures.
std::optional<LongRangeGain> long_range_gain(const FitData& data, const FitOptions& options,
                                             const std::map<int, double>& reference_energies, const ProgressCallback& progress = {});

}  // namespace gapkit
