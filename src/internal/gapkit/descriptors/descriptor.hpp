#pragma once

#include <algorithm>
#include <functional>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/core/parameters.hpp>
#include <gapkit/core/reusable_matrix.hpp>
#include <list>
#include <memory>

namespace gapkit {

/// How the features of some environments change with the vectors r_ij to neighbours of one species.
///
/// Row 3q+α belongs to pair q and Cartesian component α. The derivative of the feature vector of environment e = environment[q] is
///     dx_e/dr_qα = values(3q+α, ·) at the columns `feature`
///                  + r̂_qα Σ_n radial(q, n) direction(R e + n, ·) at the columns `radial_feature`
///                  − projection(3q+α) · x_e
/// The second part is for features that change with distances only, in few directions of feature space for each environment (SOAP's l = 0:
/// R = n_max directions of n_max (n_max + 1) / 2 features); products with any vector then take R numbers for each pair. The third comes
/// from normalising x; `projection` is zero for descriptors that do not normalise.
struct JacobianBlock {
  std::vector<int> feature;             ///< feature index of each column of `values`; empty if these are all features, in order
  std::vector<int> environment;         ///< [Q] row of Features::x
  std::vector<int> neighbor;            ///< [Q] atom index of the neighbour
  std::vector<Vector3> vector;          ///< [Q] r_ij, Å
  ReusableMatrix values;                ///< [3Q, C], 1/Å
  std::vector<int> radial_feature;      ///< feature index of each column of `direction`
  ReusableMatrix radial;                ///< [Q, R], 1/Å; R = 0: there is no such part
  ReusableMatrix direction;             ///< [E R, C₀]
  std::vector<double> projection;       ///< [3Q], 1/Å
  std::vector<double> cutoff_gradient;  ///< [3Q] d f_e / d r_qα, 1/Å; empty if the covariance cutoff is constant
  /// [Q] the source's pair that r_ij is, or empty. If given, `environment` ascends, and what belongs to one pair may be summed up before
  /// it becomes forces: faster where environments share pairs, as triplets do.
  std::vector<std::size_t> pair;

  /// Whether the columns of `values` are all features, in order.
  bool has_all_features() const { return feature.empty() && radial_feature.empty(); }
  void clear();  ///< empties everything, keeps memory
  int pair_count() const { return static_cast<int>(environment.size()); }
  /// r̂ of pair q; zero for atoms on top of each other.
  Vector3 unit(std::size_t q) const {
    const double r = vector[q].norm();
    return r > smallest_distance ? Vector3(vector[q] / r) : Vector3::Zero();
  }
  static constexpr double smallest_distance = 1e-10;  ///< Å
};

/// Feature vectors of the environments of a range of centre atoms. Reused from chunk to chunk, and from one descriptor to the next.
struct Features {
  ReusableMatrix x;            ///< [E, D], one environment per row
  std::vector<double> cutoff;  ///< [E] covariance cutoff f of each environment (1 for SOAP)
  std::vector<int> centre;     ///< [E] atom index of the centre
  /// [E] atom that shares the local energy half and half with the centre, if the same environment is listed from the other end too (equal
  /// features, centre and partner exchanged); −1: the energy is the centre's alone
  std::vector<int> partner;
  std::vector<JacobianBlock> blocks;  ///< one per neighbour species, if derivatives were asked for

  // What a descriptor keeps between compute and pullback
  ReusableMatrix workspace;
  std::vector<std::size_t> pair;  ///< pairs of the environment source that environments refer to

  int size() const { return static_cast<int>(centre.size()); }
  void clear();                          ///< empties everything, keeps memory
  void make_blocks(std::size_t number);  ///< `blocks` becomes that many empty ones, with the memory of earlier ones

 private:
  std::vector<JacobianBlock> spare_;  // empty blocks whose memory is used again
};

enum class Derivatives { none, pullback, jacobian };

/// How much Descriptor::compute makes for one centre.
struct EnvironmentCount {
  std::int64_t environments = 0;  ///< rows of Features::x
  std::int64_t pairs = 0;         ///< of an environment and one of its neighbours: a third of the Jacobian rows, at most

  /// Rows that memory is needed for.
  std::int64_t largest() const { return std::max(environments, pairs); }
};

/// Turns the surroundings of atoms into feature vectors. Immutable, re-entrant; threads over environments inside (OpenMP).
class Descriptor {
 public:
  virtual ~Descriptor() = default;

  virtual int size() const = 0;       ///< D
  virtual double cutoff() const = 0;  ///< Å; nothing beyond it matters; depends on the parameters only
  virtual const Parameters& parameters() const = 0;
  /// Atomic numbers of the combination that this instance is for: one of DescriptorKind::combinations. Only the descriptor knows what
  /// their number and order mean.
  virtual const std::vector<int>& species() const = 0;
  /// What compute() makes for the centre at position c of the source: how much memory a range of centres needs, and whether the data have
  /// any environment of this combination. Depends on the parameters and species only, not on the elements. Cost: a look at each pair.
  virtual EnvironmentCount count(const Environments& source, int c) const = 0;
  /// True if features can be negative in a scalar product (x·x' < 0): a non-integer ζ is then refused.
  virtual bool has_nonnegative_products() const = 0;
  /// Covariance cutoff f of an environment, recovered from its feature vector (sparse points read from a file).
  virtual double covariance_cutoff(std::span<const double> /*x*/) const { return 1; }

  /// How many environments of equal features each one that compute() lists stands for: 2 for triplets, which methods.md, section 2 counts
  /// as (j, k) and as (k, j). An observable sums that many times; sparse points and their covariance cutoffs are single environments.
  virtual int multiplicity() const { return 1; }
  /// Points that lie densely in all of the feature space that environments can reach, [≤ count, D], for descriptors of few dimensions;
  /// empty if there is no such set. Error bars then use a low-rank form of the prior over these points (methods.md, section 5).
  virtual Matrix domain_points(int /*count*/) const { return {}; }

  /// The same descriptor in fewer features: y [C] for x = U y with orthonormal columns U [D, C], which span all feature vectors of
  /// environments and their derivatives. Scalar products of environments, and of environments with any point z (as Uᵀz), are then equal.
  struct ShortForm {
    std::shared_ptr<const Descriptor> descriptor;            ///< null: there is nothing to gain
    std::function<Matrix(const MatrixView& points)> points;  ///< Z U [M, C] of points Z [M, D]
  };
  virtual ShortForm short_form() const { return {}; }

  /// Features of all environments whose centre is source.centre[begin … end−1], in the order of the centres. What `out` held is gone.
  ///
  /// With Derivatives::jacobian also the blocks; with Derivatives::pullback what pullback() needs.
  /// An atom whose species the descriptor does not know as a neighbour is ignored; whether that is an error is for the model to say.
  /// Cost (SOAP, K = species · n_max): O(P K l_max² + K² l_max²) per environment, the Jacobian O(P K² l_max).
  void compute(const Environments& source, int begin, int end, Derivatives derivatives, Features& out) const;

  /// Chain rule without a Jacobian: adds Σ_e dE/dx_e · dx_e/dr_ij + dE/df_e · df_e/dr_ij to dE_dr[pair] for the pairs of the range.
  ///
  /// `features` is what compute() with Derivatives::pullback left for the same source and range; dE_dx is [E, D] (eV),
  /// dE_df [E] (eV; ignored where the cutoff is constant), dE_dr has an entry for each pair of the source (eV/Å).
  virtual void pullback(const Environments& source, int begin, int end, const Features& features, const MatrixView& dE_dx,
                        std::span<const double> dE_df, std::span<Vector3> dE_dr) const = 0;

 private:
  /// What compute() promises. `out` is empty when it comes; of each block, all members that are not optional must be filled.
  virtual void fill(const Environments& source, int begin, int end, Derivatives derivatives, Features& out) const = 0;
};

/// One line of the table of descriptors.
struct DescriptorKind {
  std::string name;
  std::string description;
  std::vector<ParameterInfo> parameters;
  /// What a term of this kind expands to for a list of elements (ascending): each element, each unordered pair, … For some of the elements,
  /// the combinations that have no others.
  std::function<std::vector<std::vector<int>>(std::span<const int> elements)> combinations;
  /// `elements`: all elements that may occur as neighbours, ascending. Parameters must be complete.
  std::function<std::shared_ptr<const Descriptor>(const Parameters&, const std::vector<int>& species, const std::vector<int>& elements)>
      make;
};

/// The table. A new descriptor is one .cpp file and one line here.
const std::list<DescriptorKind>& descriptor_kinds();
/// Throws InputError with the nearest name if unknown.
const DescriptorKind& descriptor_kind(std::string_view name);
/// Adds a line to the table, for a descriptor outside the library. Before anything else uses the table, from one thread. Throws InputError
/// if the name is taken.
void add_descriptor_kind(DescriptorKind kind);

/// The combination that has these elements in any order; where several have, the one whose first element (a centre) is the first of
/// `species`. Empty if there is none.
std::vector<int> find_combination(const DescriptorKind& kind, const std::vector<int>& species);

/// cos-shaped cutoff: 1 up to cutoff − width, ½[1 + cos(π(r − cutoff + width)/width)] up to cutoff, 0 beyond (methods.md, section 2).
double cutoff_value(double distance, double cutoff, double width);
double cutoff_derivative(double distance, double cutoff, double width);

}  // namespace gapkit
