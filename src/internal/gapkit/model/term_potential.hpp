#pragma once

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/kernels/kernel.hpp>
#include <gapkit/model/kernel_rows.hpp>
#include <gapkit/potentials/potential.hpp>

namespace gapkit {

/// One fitted term of a model as a potential: Σ_e f_e ε(x_e) over its environments, ε(x) = Σ_m c_m δ² f_m κ(x, x_m).
///
/// Owns scratch memory: one object per thread of control. Threads inside. Cost per atom, M sparse points, D features, P neighbours: 4 M D
/// flop in two GEMMs (Kernel::compile), and the descriptor's own. Memory is bounded: centres are processed in chunks.
class TermPotential final : public Potential {
 public:
  /// `weights`: c of the term's sparse points.
  TermPotential(const Term& term, const Vector& weights);
  ~TermPotential() override;

  std::string name() const override { return label_; }
  double cutoff() const override;
  void add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const override;

  /// False if there are no sparse points: the term then gives no energy.
  bool is_sampled() const { return local_energy_ != nullptr; }
  /// Whether any centre has an environment of this term.
  bool has_environments(const Environments& environments) const;

  /// Whether add() computes descriptors in single precision (Features::single_precision).
  void use_single_precision(bool is_used) { single_precision_ = is_used; }

  /// Intermediate results of add(): the features (of the descriptor's short form) of centres first … last−1, and their kernel values [E, M]
  /// if the kernel has them at no cost, else null.
  using Observer = std::function<void(const Environments&, const CentreFeatures&)>;
  /// add() will call the observer for each range of centres with environments; null: no observer.
  void observe(Observer observer) { observer_ = std::move(observer); }

 private:
  struct Scratch;

  std::string label_;
  std::shared_ptr<const Descriptor> descriptor_;  // in short form
  std::shared_ptr<const Kernel> kernel_;          // local_energy_ may refer to it
  Eigen::Index sparse_points_;
  std::unique_ptr<LocalEnergy> local_energy_;  // function of the features; null without sparse points
  std::unique_ptr<Scratch> scratch_;
  Observer observer_;
  bool single_precision_ = false;
};

}  // namespace gapkit
