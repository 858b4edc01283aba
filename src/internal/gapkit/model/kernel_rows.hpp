#pragma once

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/model/term.hpp>

namespace gapkit {

/// Which targets of a structure are wanted, and where their rows stand: in the order of targets().
struct Observables {
  bool energy = true, forces = true, virial = true;

  bool& wants(Property property) { return property == Property::energy ? energy : property == Property::force ? forces : virial; }
  bool wants(Property property) const { return const_cast<Observables*>(this)->wants(property); }

  Eigen::Index rows(int atoms) const { return first_row(static_cast<Property>(target_count), atoms); }
  /// The rows of the targets before.
  Eigen::Index first_row(Property property, int atoms) const {
    Eigen::Index rows = 0;
    for (const TargetInfo& target : targets())
      if (target.property < property && wants(target.property)) rows += target.row_count(atoms);
    return rows;
  }
  Eigen::Index forces_row() const { return first_row(Property::force, 0); }
  Eigen::Index virial_row(int atoms) const { return first_row(Property::virial, atoms); }
};

/// Features and Jacobians of all environments of a structure that KernelRows leaves for Prior, so that neither makes them twice.
struct KeptFeatures {
  std::vector<Features> of_term;
  std::vector<bool> is_kept;  ///< false: the term has few features, or there are too many environments

  const Features* find(std::size_t t) const { return t < is_kept.size() && is_kept[t] ? &of_term[t] : nullptr; }
};

/// Kernel rows of one structure against all sparse sets. The only place where environments are summed into observables.
///
/// Row k(o) holds the observable o applied to δ² f κ(·, x_m) f_m for each sparse point m of each term (methods.md, section 1): energy in
/// eV, forces in eV/Å (−d/dr, atom-major x y z), virial in eV (−Σ r_ij ⊗ dE/dr_ij, xx yy zz yz xz xy). Cost: one GEMM [3P, D]·[D, M] per
/// centre atom and term; 6 P D M flop (of SOAP only the features of l ≥ 1: JacobianBlock::radial). Terms with up to four features: about 40
/// flop and an exponential per environment and sparse point. Source: Bartók & Csányi, Int. J. Quantum Chem. 115, 1051 (2015), section 4.
///
/// Not re-entrant (it owns its scratch memory). Threads inside, over environments and over columns, unless called within an OpenMP parallel
/// region; their number changes results by rounding at most.
class KernelRows {
 public:
  /// Keeps the terms in their short form (shortened()).
  explicit KernelRows(std::span<const Term> terms);
  /// The same with scratch memory of its own, for another thread. Terms and points are shared.
  KernelRows(const KernelRows& other);
  KernelRows& operator=(const KernelRows&) = delete;
  ~KernelRows();

  Eigen::Index columns() const { return offsets_.back(); }
  const std::vector<Eigen::Index>& offsets() const { return offsets_; }

  /// rows: [wanted.rows(atoms), columns()], overwritten. `atoms`: number of atoms whose forces are rows; atoms with larger indices have
  /// none. `kept` (optional) is filled if forces or the virial are wanted; at most 64 MB per term.
  void compute(const Environments& environments, int atoms, const Observables& wanted, MatrixSlice rows, KeptFeatures* kept = nullptr);

  /// Rows of the local energies of the atoms at centre[begin … end−1], in this order: [end − begin, columns()], overwritten.
  ///
  /// A pair's environment counts half at each end. A full list has it twice, from both ends and with equal features, so an atom's share
  /// is the whole of the environments it is the centre of, and nothing beyond the range is needed.
  /// `prior` (optional): k** of these local energies term by term, [end − begin, terms], eV²: double sums over an atom's environments.
  void compute_local(const Environments& environments, int begin, int end, MatrixSlice rows, Matrix* prior = nullptr);
  /// What term t adds to the rows of centres first … last−1 and to their priors (optional, from row `prior_row` on), for a caller that has
  /// the features of its short form already, and perhaps the kernel values [E, M] (else null).
  void add_local(std::size_t t, const Environments& environments, int first, int last, const Features& features, const MatrixView* values,
                 MatrixSlice rows, Matrix* prior, Eigen::Index prior_row);
  /// The same for atoms 0 … atoms−1: [atoms, columns()]; zero for atoms that are not centres.
  void compute_local(const Environments& environments, int atoms, MatrixSlice rows);

 private:
  struct Scratch;
  struct EnvironmentBlock;
  void add_term(std::size_t t, const Environments& environments, int atoms, const Observables& wanted, MatrixSlice rows,
                KeptFeatures* kept);
  bool has_few_features(std::size_t t) const;
  void add_few_features(std::size_t t, const Environments& environments, int begin, int end, int atoms, const Observables& wanted,
                        MatrixSlice rows);
  void add_block(const EnvironmentBlock& part, ReusableMatrix& gradient) const;
  void spread_gradients(const ReusableMatrix& gradient, int width, int atoms, const Observables& wanted, double* target,
                        Eigen::Index stride) const;

  /// Λ z of all sparse points at the features of a block of the Jacobian; `all` is empty if that is z itself.
  struct GradientPoints {
    Matrix all, radial;  // [M, C], [M, C₀]
  };
  const Matrix& gradient_points(std::size_t t, std::size_t block) const;

  std::shared_ptr<const std::vector<Term>> shared_terms_;
  std::span<const Term> terms_;
  std::vector<Eigen::Index> offsets_;
  std::shared_ptr<const std::vector<std::vector<GradientPoints>>> gradient_points_;  // by term and neighbour species
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace gapkit
