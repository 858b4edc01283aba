#pragma once

#include <algorithm>
#include <functional>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/core/parameters.hpp>
#include <gapkit/core/reusable_matrix.hpp>
#include <list>
#include <memory>

namespace gapkit {

class ChosenFunctions;
class ContractedChannels;
struct FeatureMap;

/// Derivatives of the features of some environments by the vectors r_ij to neighbours of one species.
///
/// Row 3q+α belongs to pair q and Cartesian component α. The derivative of the feature vector of environment e = environment[q] is
///     dx_e/dr_qα = values(3q+α, ·) at the columns `feature`
///                  + r̂_qα Σ_n radial(q, n) direction(R e + n, ·) at the columns `radial_feature`
///                  − projection(3q+α) · x_e
/// The second part is for features that depend on distances only, in few directions of feature space for each environment (SOAP's l = 0:
/// R = n_max directions of n_max (n_max + 1) / 2 features); products with any vector then take R numbers for each pair. The third comes
/// from the normalisation of x; `projection` is zero for descriptors that do not normalise.
struct JacobianBlock {
  std::vector<int> feature;             ///< feature index of each column of `values`; empty: all features, in order
  std::vector<int> environment;         ///< [Q] row of Features::x
  std::vector<int> neighbor;            ///< [Q] atom index of the neighbour
  std::vector<Vector3> vector;          ///< [Q] r_ij, Å
  ReusableMatrix values;                ///< [3Q, C], 1/Å
  std::vector<int> radial_feature;      ///< feature index of each column of `direction`
  ReusableMatrix radial;                ///< [Q, R], 1/Å; R = 0: no second part
  ReusableMatrix direction;             ///< [E R, C₀]
  std::vector<double> projection;       ///< [3Q], 1/Å
  std::vector<double> cutoff_gradient;  ///< [3Q] d f_e / d r_qα, 1/Å; empty if the covariance cutoff is constant
  /// [Q] index of r_ij among the pairs of the environments, or empty. If given, `environment` must ascend, and derivatives of one pair may
  /// be summed up before they are added to forces: faster where environments share pairs, as for triplets.
  std::vector<std::size_t> pair;

  /// Whether the columns of `values` are all features, in order.
  bool has_all_features() const { return feature.empty() && radial_feature.empty(); }
  void clear();  ///< empties all arrays, keeps memory
  int pair_count() const { return static_cast<int>(environment.size()); }
  /// r̂ of pair q; zero for atoms at the same place.
  Vector3 unit(std::size_t q) const {
    const double r = vector[q].norm();
    return r > smallest_distance ? Vector3(vector[q] / r) : Vector3::Zero();
  }
  static constexpr double smallest_distance = 1e-10;  ///< Å
};

/// Feature vectors of the environments of a range of centre atoms. Reused for the next chunk, also by other descriptors.
struct Features {
  /// Input of compute(): intermediate results in single precision where the descriptor can, except for a Jacobian. Sums and `x` stay in
  /// double precision.
  bool single_precision = false;
  ReusableMatrix x;                       ///< [E, D], one environment per row
  std::vector<double> covariance_cutoff;  ///< [E] f of each environment (1 for SOAP)
  std::vector<int> centre;                ///< [E] atom index of the centre
  /// [E] atom with half of the local energy, if the other end lists the same environment too (equal features, centre and partner
  /// exchanged); −1: the centre has the whole energy
  std::vector<int> partner;
  std::vector<JacobianBlock> blocks;  ///< one per neighbour species, for Derivatives::jacobian

  // Memory of a descriptor between compute and pullback
  ReusableMatrix workspace;
  std::vector<std::size_t> pair;    ///< indices of pairs of the environments
  std::unique_ptr<Features> inner;  ///< of the descriptor whose features were mapped

  int size() const { return static_cast<int>(centre.size()); }
  void clear();                          ///< empties everything, keeps memory
  void make_blocks(std::size_t number);  ///< sets `blocks` to this number of empty ones, with the memory of earlier ones

 private:
  std::vector<JacobianBlock> spare_;  // empty blocks whose memory is used again
};

enum class Derivatives { none, pullback, jacobian };

/// Derivatives of an energy by the features of environments.
struct FeatureGradient {
  MatrixView dE_dx;               ///< [E, D], eV
  std::span<const double> dE_df;  ///< [E] by the covariance cutoff, eV; ignored where that is constant
};

/// Size of the result of Descriptor::compute for one centre.
struct EnvironmentCount {
  std::int64_t environments = 0;  ///< rows of Features::x
  std::int64_t pairs = 0;         ///< of an environment and one of its neighbours: at most a third of the Jacobian rows

  /// The larger number of rows, for estimates of memory.
  std::int64_t largest() const { return std::max(environments, pairs); }
};

/// Computes feature vectors of the environments of atoms. Immutable, re-entrant; threads over environments inside (OpenMP).
class Descriptor {
 public:
  virtual ~Descriptor() = default;

  virtual int size() const = 0;       ///< D
  virtual double cutoff() const = 0;  ///< Å; farther neighbours are ignored; depends on the parameters only
  virtual const Parameters& parameters() const = 0;
  /// Atomic numbers of the combination of this instance: one of DescriptorKind::combinations. Only the descriptor interprets their number
  /// and order.
  virtual const std::vector<int>& species() const = 0;
  /// Size of the result of compute() for the centre at position c: for estimates of memory, and to find environments of this combination.
  /// Depends on the parameters and species only, not on the elements. Cost: O(pairs).
  virtual EnvironmentCount count(const Environments& environments, int c) const = 0;
  /// True if scalar products x·x' are never negative; else a non-integer ζ is refused.
  virtual bool has_nonnegative_products() const = 0;
  /// Covariance cutoff f of an environment, recovered from its feature vector (sparse points read from a file).
  virtual double covariance_cutoff(std::span<const double> /*x*/) const { return 1; }

  /// Number of equal environments that each one of compute() represents: 2 for triplets, which methods.md, section 2 counts as (j, k) and
  /// as (k, j). Observables are multiplied by it; sparse points and their covariance cutoffs are single environments.
  virtual int multiplicity() const { return 1; }
  /// Points that cover the feature space of all environments densely, [≤ count, D], for descriptors of few dimensions; empty if there is
  /// no such set. Error bars then use a low-rank form of the prior over these points (methods.md, section 5).
  virtual Matrix domain_points(int /*count*/) const { return {}; }

  /// The same descriptor in fewer features: y [C] for x = U y with orthonormal columns U [D, C], which span all feature vectors of
  /// environments and their derivatives. Scalar products of environments, and of environments with any point z (as Uᵀz), are then equal.
  struct ShortForm {
    std::shared_ptr<const Descriptor> descriptor;            ///< null: no shorter form
    std::function<Matrix(const MatrixView& points)> points;  ///< Z U [M, C] of points Z [M, D]
  };
  virtual ShortForm short_form() const { return {}; }
  /// The linear map behind the features, null if there is none: those of a term with a compression (descriptors/feature_map.hpp).
  virtual const FeatureMap* feature_map() const { return nullptr; }
  /// The contraction of channels by matrices from training data, null if there is none (descriptors/contracted_channels.hpp).
  virtual const ContractedChannels* contracted_channels() const { return nullptr; }
  /// The functions that are chosen and scaled by training data, null if there are none (descriptors/symmetry_functions.hpp).
  virtual const ChosenFunctions* chosen_functions() const { return nullptr; }
  /// Why there are energies only, a sentence that begins with the name of the descriptor; empty: features have derivatives.
  virtual std::string without_derivatives() const { return {}; }

  /// Features of all environments whose centre is environments.centre[begin … end−1], in the order of the centres. Overwrites `out`.
  ///
  /// With Derivatives::jacobian also the blocks; with Derivatives::pullback the input of pullback().
  /// Ignores neighbours of unknown species; the model decides whether they are an error.
  /// Cost (SOAP, K = species · n_max): O(P K l_max² + K² l_max²) per environment, the Jacobian O(P K² l_max).
  void compute(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const;

  /// Chain rule without a Jacobian: adds Σ_e dE/dx_e · dx_e/dr_ij + dE/df_e · df_e/dr_ij to dE_dr[pair] for the pairs of the range.
  ///
  /// `features`: from compute() with Derivatives::pullback for the same environments and range. dE_dr: one entry for each pair of the
  /// environments, eV/Å.
  virtual void pullback(const Environments& environments, int begin, int end, const Features& features, const FeatureGradient& gradient,
                        std::span<Vector3> dE_dr) const = 0;

 private:
  /// Implements compute(). `out` is empty at the start; all members of a block that are not optional must be filled.
  virtual void fill(const Environments& environments, int begin, int end, Derivatives derivatives, Features& out) const = 0;

 public:
  /// True if feature vectors have length 1, or are 0 (an atom without neighbours).
  virtual bool has_unit_length() const { return false; }
  /// |x|² of a usual environment, to which kernels scale their inputs.
  virtual double usual_square() const { return has_unit_length() ? 1 : size(); }
};

/// One line of the table of descriptors.
struct DescriptorKind {
  std::string name;
  std::string description;
  std::vector<ParameterInfo> parameters;
  /// Combinations of elements (ascending) that a term of this kind expands to: each element, each unordered pair, … For a subset of the
  /// elements it must give the combinations without other elements.
  std::function<std::vector<std::vector<int>>(std::span<const int> elements)> combinations;
  /// `elements`: all elements of possible neighbours, ascending. Parameters must be complete.
  std::function<std::shared_ptr<const Descriptor>(const Parameters&, const std::vector<int>& species, const std::vector<int>& elements)>
      make;
  double usual_length_scale = 0;  ///< of a kernel, relative to √usual_square(), if none is given; 0: it must be given
};

/// The table. A new descriptor is one .cpp file and one line here.
const std::list<DescriptorKind>& descriptor_kinds();
/// Throws InputError with the nearest name if unknown.
const DescriptorKind& descriptor_kind(std::string_view name);
/// Adds a line to the table, for a descriptor outside the library. Call it from one thread before the table is used. Throws InputError if
/// the name exists.
void add_descriptor_kind(DescriptorKind kind);

/// The combination with these elements in any order; if there are several, the one with the first element (a centre) of `species` first.
/// Empty if there is none.
std::vector<int> find_combination(const DescriptorKind& kind, const std::vector<int>& species);

/// cos-shaped cutoff: 1 up to cutoff − width, ½[1 + cos(π(r − cutoff + width)/width)] up to cutoff, 0 beyond (methods.md, section 2).
double cutoff_value(double distance, double cutoff, double width);
double cutoff_derivative(double distance, double cutoff, double width);

}  // namespace gapkit
