#pragma once

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// A posterior variance in its two parts (methods.md, section 5).
struct Variance {
  double novelty = 0;    ///< part outside the span of the sparse points: k** − φᵀφ
  double data = 0;       ///< part within the span, left by the training data: |R_A⁻ᵀ φ|²
  double prior = 0;      ///< k**: variance without data
  double jackknife = 0;  ///< J, if the model's calibration has it (methods.md, section 5); of forces on request only
  double relative = 0;   ///< ν² of local energies (RelativeNovelty)
  double full = 0;       ///< the same of the terms of the full spectrum alone

  double total() const { return novelty + data; }
};

/// Posterior covariance of observables under one model. Not re-entrant (it owns scratch memory); threads inside.
class Covariance {
 public:
  /// The model must outlive the object.
  explicit Covariance(const Model& model);
  ~Covariance();

  /// All rows of KernelRows::compute, in their order: energy (eV²), forces ((eV/Å)²) of atoms 0 … atoms−1, virial (eV²).
  ///
  /// Forces need every environment that contains one of the atoms. Environments are correlated: priors are double sums over
  /// them (Prior). Cost for n atoms, M sparse points: the kernel rows, 2 M² flop per row, O(n² D) for the priors of energy and virial,
  /// about 12 P² D for a force. Memory is bounded, atoms are processed in groups.
  /// `force_cross` (optional): data part of the covariances yz, xz, xy of each atom's force, [atoms, 3].
  std::vector<Variance> observables(const Environments& environments, int atoms, const Observables& wanted, Matrix* force_cross = nullptr);
  /// J of forces too from now on: 2 r M flop for each row, with r rows of the jackknife factor.
  void add_force_jackknife(bool is_wanted);
  /// Forces in single precision from now on (KernelRows::use_single_precision), unless the virial is wanted too: novelty errs by some
  /// 10⁻⁶ of the prior then.
  void use_single_precision(bool is_wanted);
  /// Only the total energy.
  Variance total_energy(const Environments& environments, int atoms);

  /// Sums of the local energies (or values of a property) of atoms with one weight each, for each row of `weights` [k, atoms]. Cost: the
  /// rows of the local energies, 4 M² flop per sum, and O(n² D) for the priors.
  std::vector<Variance> weighted_sums(const Environments& environments, const Matrix& weights);

  /// Local energies of atoms 0 … atoms−1, eV²; 0 for atoms that are not centres. Cost: 4 M² flop per atom, and the double sum over the
  /// atom's own environments; memory is bounded, atoms are processed in chunks.
  std::vector<Variance> local_energies(const Environments& environments, int atoms);

  /// The same for a caller that has computed the features: begin_local() for all environments, add_local() for every term and range of
  /// centres (KernelRows::add_local), then finish_local(), which gives one variance per centre. Takes M numbers per centre; use it only if
  /// fits_local().
  struct LocalRows {
    Matrix rows, prior;
    std::vector<int> element;
  };
  bool fits_local(const Environments& environments) const;
  void begin_local(const Environments& environments, LocalRows& local) const;
  void add_local(std::size_t t, const Environments& environments, const CentreFeatures& part, LocalRows& local);
  std::vector<Variance> finish_local(LocalRows& local) const;

  /// E_b − E_a of two structures, eV²: common parts cancel.
  Variance energy_difference(const Environments& a, const Environments& b);

  /// Joint covariance of the total energies of several structures, eV². Cost: one energy row each, and n²/2 priors.
  struct Joint {
    Matrix novelty, data;  ///< [n, n]
  };
  Joint total_energies(std::span<const Environments> structures);

  /// k(E, E): the prior variance of the total energy, eV².
  double prior_total_energy(const Environments& environments);

 private:
  struct State;
  /// φ = S L⁻¹ k in place of the kernel rows k.
  void whiten(MatrixSlice rows) const;
  /// Novelty and data part of whitened rows (R_A⁻ᵀφ afterwards); prior holds k** of each, magnitude the scale of their rounding errors;
  /// novelty from −clamp k** on counts as 0.
  std::vector<Variance> split(MatrixSlice rows, const Vector& prior, const Vector& magnitude, double clamp = 0) const;
  /// Parts of the variances of local energies: whitened rows of atoms with these elements, and their priors by term.
  std::vector<Variance> split_local(MatrixSlice rows, const Matrix& prior, std::span<const int> element) const;
  /// J of each whitened row; 0 without a jackknife.
  Vector jackknife(const MatrixView& rows) const;
  std::vector<Variance> of_group(const Environments& environments, int atoms, const Observables& wanted, Matrix* force_cross);
  void forces(const Environments& environments, int atoms, std::vector<Variance>& result, Matrix* force_cross);

  const Model& model_;
  std::unique_ptr<State> state_;
};

}  // namespace gapkit
