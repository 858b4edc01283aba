#pragma once

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// A posterior variance in its two parts (methods.md, section 5).
struct Variance {
  double novelty = 0;  ///< what no representative environment spans: k** − φᵀφ
  double data = 0;     ///< what the training data leave undetermined in that span: |R_A⁻ᵀ φ|²
  double prior = 0;    ///< k**: what the model would say without any data

  double total() const { return novelty + data; }
};

/// Posterior covariance of observables under one model. Not re-entrant (it owns scratch memory); threads inside.
class Covariance {
 public:
  /// The model must outlive the object.
  explicit Covariance(const Model& model);
  ~Covariance();

  /// Every row of KernelRows::compute, in its order: energy (eV²), forces ((eV/Å)²) of atoms 0 … atoms−1, virial (eV²).
  ///
  /// Forces: every environment that contains one of the atoms must be there. Environments are correlated: priors are double sums over
  /// them (Prior). Cost for n atoms, M sparse points: the kernel rows, 2 M² flop per row, O(n² D) for the priors of energy and virial,
  /// about 12 P² D for a force. Memory is bounded, atoms are worked on in groups.
  std::vector<Variance> observables(const Environments& environments, int atoms, const Observables& wanted);
  /// The total energy alone.
  Variance total_energy(const Environments& environments, int atoms);

  /// Local energies of atoms 0 … atoms−1, eV²; 0 for atoms that are not centres. Cost: 4 M² flop per atom, and the double sum over the
  /// atom's own environments; memory is bounded, atoms are worked on in chunks.
  std::vector<Variance> local_energies(const Environments& environments, int atoms);

  /// The same for a caller that makes the features anyway: begin_local() for all environments, add_local() for every term and range of
  /// centres (KernelRows::add_local), then finish_local(), which gives one variance per centre. Holds M numbers per centre: for those that
  /// fits_local() accepts.
  struct LocalRows {
    Matrix rows, prior;
  };
  bool fits_local(const Environments& environments) const;
  void begin_local(const Environments& environments, LocalRows& local) const;
  void add_local(std::size_t t, const Environments& environments, int first, int last, const Features& features, const MatrixView* values,
                 LocalRows& local);
  std::vector<Variance> finish_local(LocalRows& local) const;

  /// E_b − E_a of two structures, eV²: what they have in common cancels.
  Variance energy_difference(const Environments& a, const Environments& b);

  /// Joint covariance of the total energies of several structures, eV². Cost: one energy row each, and n²/2 priors.
  struct Joint {
    Matrix novelty, data;  ///< [n, n]
  };
  Joint total_energies(std::span<const Environments> structures);

  /// k(E, E): the prior variance of the total energy alone, eV².
  double prior_total_energy(const Environments& environments);

 private:
  struct State;
  /// φ = S L⁻¹ k in place of the kernel rows k.
  void whiten(MatrixSlice rows) const;
  /// Novelty and data part of kernel rows (overwritten); prior holds k** of each, magnitude what rounding is relative to.
  std::vector<Variance> split(MatrixSlice rows, const Vector& prior, const Vector& magnitude) const;
  void forces(const Environments& environments, int atoms, std::vector<Variance>& result);

  const Model& model_;
  std::unique_ptr<State> state_;
};

}  // namespace gapkit
