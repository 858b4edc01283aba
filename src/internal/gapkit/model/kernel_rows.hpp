#pragma once

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/math/single_products.hpp>
#include <gapkit/model/term.hpp>

namespace gapkit {

/// The wanted targets of a structure, and the places of their rows, in the order of all_targets(): those of the energy, or those of a local
/// property (local_targets()).
struct Observables {
  bool energy = true, forces = true, virial = true;
  bool value = false, total = false, dipole = false;

  static Observables none() { return {.energy = false, .forces = false, .virial = false}; }
  bool has_local() const { return value || total || dipole; }
  bool& wants(Property property) {
    switch (property) {
      case Property::energy:
        return energy;
      case Property::force:
        return forces;
      case Property::virial:
        return virial;
      case Property::value:
        return value;
      case Property::total:
        return total;
      case Property::dipole:
        break;
    }
    return dipole;
  }
  bool wants(Property property) const { return const_cast<Observables*>(this)->wants(property); }

  Eigen::Index rows(int atoms) const { return first_row(static_cast<Property>(target_count), atoms); }
  /// Number of rows of the targets before.
  Eigen::Index first_row(Property property, int atoms) const {
    Eigen::Index rows = 0;
    for (const TargetInfo& target : all_targets())
      if (target.property < property && wants(target.property)) rows += target.row_count(atoms);
    return rows;
  }
  Eigen::Index forces_row() const { return first_row(Property::force, 0); }
  Eigen::Index virial_row(int atoms) const { return first_row(Property::virial, atoms); }
};

/// The targets of whole frames of a local property as weighted sums of its values at the atoms: one row of weights for the total (1) and
/// three for the dipole (r_i − r̄ with the centroid r̄), as far as they are wanted; [rows, atoms].
Matrix local_weights(const Observables& wanted, const Positions& positions);

/// Features and Jacobians of all environments of a structure, which KernelRows keeps for Prior.
struct KeptFeatures {
  std::vector<Features> of_term;
  std::vector<bool> is_kept;  ///< false: the term has few features, or there are too many environments

  const Features* find(std::size_t t) const { return t < is_kept.size() && is_kept[t] ? &of_term[t] : nullptr; }
};

/// Features of a term (in its short form) for the environments of centres first … last − 1.
struct CentreFeatures {
  int first, last;
  const Features& features;
  const MatrixView* values;  ///< kernel values with the sparse points [E, M], or null
};

/// Kernel rows of one structure with all sparse sets. Only this class sums environments into observables.
///
/// Row k(o) holds the observable o applied to δ² f κ(·, x_m) f_m for each sparse point m of each term (methods.md, section 1): energy in
/// eV, forces in eV/Å (−d/dr, atom-major x y z), virial in eV (−Σ r_ij ⊗ dE/dr_ij, xx yy zz yz xz xy). Cost: one GEMM [3P, D]·[D, M] per
/// centre atom and term; 6 P D M flop (for SOAP only the features of l ≥ 1: JacobianBlock::radial). Terms with up to four features: about
/// 40 flop and an exponential per environment and sparse point. Source: Bartók & Csányi, Int. J. Quantum Chem. 115, 1051 (2015), section 4.
///
/// Not re-entrant (it owns its scratch memory). Threads inside, over environments and over columns, unless called within an OpenMP parallel
/// region; the number of threads changes results by rounding at most.
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

  /// From now on the products of Jacobians are in single precision where only forces are wanted: for the data part of their variances,
  /// whose square root changes by less than 10⁻³. Terms with few features and stationary kernels keep double precision.
  void use_single_precision(bool is_wanted);

  /// Rows of the local energies of the atoms at centre[begin … end−1], in this order: [end − begin, columns()], overwritten.
  ///
  /// Each end of a pair has half of its environment. A full list has a pair from both ends with equal features, so an atom's share is the
  /// whole of its own environments, and environments outside the range are not needed.
  /// `prior` (optional): k** of these local energies term by term, [end − begin, terms], eV²: double sums over an atom's environments.
  void compute_local(const Environments& environments, int begin, int end, MatrixSlice rows, Matrix* prior = nullptr);
  /// Adds term t to the rows of the centres of `part`, and to their priors (optional, from row `prior_row` on), for a caller that already
  /// has the features.
  void add_local(std::size_t t, const Environments& environments, const CentreFeatures& part, MatrixSlice rows, Matrix* prior,
                 Eigen::Index prior_row);
  /// The same for atoms 0 … atoms−1: [atoms, columns()]; zero for atoms that are not centres.
  void compute_local(const Environments& environments, int atoms, MatrixSlice rows);
  /// The targets of a local property: the rows of compute_local() for the values, then their sums with `weights` (local_weights()).
  /// rows: [wanted.rows(atoms), columns()], overwritten, with weights.cols() atoms. `response`: [atoms, atoms], values are this times those
  /// of the field (LocalTargets::response); empty: the same.
  void compute_property(const Environments& environments, const Observables& wanted, const Matrix& weights, MatrixSlice rows,
                        const Matrix& response = {});

 private:
  struct Scratch;
  struct StructureRows;
  struct Tile;
  struct PairRange;
  struct EnvironmentBlock;
  void add_term(std::size_t t, const Environments& environments, const StructureRows& out, KeptFeatures* kept);
  void compute_kernel(std::size_t t, const Features& features, bool derivatives);
  void add_tile(const Tile& tile, const StructureRows& out) const;
  bool takes_single(std::size_t t, const Observables& wanted) const;
  // In double or single precision (pair_rows.cpp)
  void fill_single_points(std::size_t t) const;
  template <class Real>
  void add_pair_rows(const Tile& tile, const StructureRows& out) const;
  template <class Real>
  void contract(const PairRange& range) const;
  template <class Real>
  void fill_pairs(const PairRange& range, const StructureRows& out) const;
  template <class Real>
  void add_pairs(const PairRange& range, const StructureRows& out) const;
  bool has_few_features(std::size_t t) const;
  void add_few_features(std::size_t t, const Environments& environments, int begin, int end, const StructureRows& out);
  void add_block(const EnvironmentBlock& part, ReusableMatrix& gradient) const;
  void spread_gradients(const ReusableMatrix& gradient, Eigen::Index first, int width, const StructureRows& out) const;

  /// Λ z of all sparse points at the features of a block of the Jacobian; `all` is empty if Λ z = z and the block has all features.
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
