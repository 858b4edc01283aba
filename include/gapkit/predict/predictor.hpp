#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/model/model.hpp>

namespace gapkit {

/// Two atoms of a structure, or an atom and its own image (first == second), too close for a prediction.
struct CloseAtoms {
  int first = 0, second = 0;                  ///< from 0
  int first_element = 0, second_element = 0;  ///< atomic numbers
  double distance = 0;                        ///< Å
  double radii = 0;                           ///< Å: the sum of their covalent radii
  std::optional<double> trained;              ///< Å: the shortest distance of these elements in training, if known
  std::size_t images = 0;                     ///< number of an atom's own images within the cutoff, if thousands

  /// "atoms 3 (Si) and 7 (Si) are 0.52 Å apart (23 % of the sum of their covalent radii; in training at least 2.21 Å)"
  std::string text() const;
};

/// Distances of a structure compared with those of the training data (docs/checks.md).
struct Closeness {
  /// Smallest ratio of a distance to the shortest one of the same two elements in training; below 1, the model extrapolates. For a
  /// pair of elements without a training distance within the cutoff of the terms, the cutoff counts. Absent if the model has no training
  /// distances (imported, or of an early version), or if no atom has a neighbour within the model's cutoff.
  std::optional<double> ratio;
  /// The closest atoms, relative to the sum of their covalent radii, if closer than half of the sum and than all training distances (if
  /// known); or an atom with a thousand images of itself within the cutoff, closer than all training distances.
  std::optional<CloseAtoms> too_close;
};

/// A local property of the atoms of a structure, in its unit. Error bars as in Prediction.
struct PropertyPrediction {
  std::string name;
  Vector values;  ///< of the atoms
  double total = 0;
  std::optional<Vector3> dipole;  ///< unit · Å, about the centroid; of models that were fitted to dipoles, without periodic directions
  std::optional<Vector> std, std_epistemic;
  std::optional<double> total_std, total_std_epistemic;
  std::optional<Vector3> dipole_std, dipole_std_epistemic;
};

/// A tensor of a structure, in its unit.
struct TensorPrediction {
  TensorKeys keys;
  Matrix values;  ///< [1 or atoms, 3, 9 or 1] Cartesian, row by row
  /// Of each row, [1 or atoms, c²] with c = 3 (x y z), 6 (xx yy zz yz xz xy) or 1: the covariance of a new label, calibrated if the fit
  /// was.
  std::optional<Matrix> covariance;
  /// [atoms, 3 · components] dT_b/dr_ka of each atom k at (components) a + b, in the unit of the tensor per Å.
  std::optional<Matrix> derivatives;
  bool is_calibrated = false;

  int covariance_size() const { return keys.kind == "symmetric" ? 6 : keys.components(); }
  /// Standard deviations of the components, [1 or atoms, 3, 6 or 1]. Needs the covariance.
  Matrix std() const;
  /// Numbers that do not depend on the orientation, of each row: the length |v| of a vector ("norm"); tr T/3 and |T − tr T/3| of a matrix
  /// ("isotropic", "anisotropic"); none of a scalar.
  std::vector<std::string> invariant_names() const;
  Matrix invariants() const;
  /// Their standard deviations to first order. Where a length is less than the root of the trace of its covariance, the first order is
  /// wrong, and the value is this root, an upper bound. Needs the covariance.
  Matrix invariants_std() const;
};

struct PredictionRequest {
  bool forces = true;  ///< forces, virial and stress
  bool energy_std = false;
  bool local_std = false;
  bool force_std = false;
  bool stress_std = false;        ///< of virial (and so of stress)
  bool force_covariance = false;  ///< with force_std: between the components of the force on an atom
  bool extrapolation = false;     ///< grades of the atoms; at the cost of local_std, and together with it at no cost
  bool atom_virial = false;       ///< with forces only
  bool calibrated = true;         ///< apply the model's calibration, if it has one
  /// A prediction that is not finite (atoms at the same place with a repulsive baseline) is returned, without error bars and with
  /// Prediction::is_finite = false, instead of NumericalError; other structures in the call are not affected.
  bool keep_not_finite = false;
  /// Of a model that sits on another one (Model::base): the difference alone, which the caller adds to the values of the other model. Else
  /// structures must bring these (Structure::base), and targets that the base does not give are not predicted.
  bool difference = false;
  /// Descriptors and their derivatives in single precision (kernels and sums stay in double precision): faster, with errors of forces below
  /// 1e-4 eV/Å (docs/accuracy.md). Without effect where error bars are requested, as these need all digits.
  bool single_precision = false;
  bool properties = false;          ///< local properties of the model, if it has some
  bool property_std = false;        ///< with properties
  bool tensors = false;             ///< tensors of the model, if it has some
  bool tensor_covariance = false;   ///< with tensors
  bool tensor_derivatives = false;  ///< with tensors: by the positions, of those that are no values of atoms

  /// Of energies, forces and virial.
  bool error_bars() const { return energy_std || local_std || force_std || stress_std; }
  bool needs_posterior() const { return error_bars() || extrapolation; }
  /// Whether the error bars of a target are requested.
  bool& std_of(Property property) {
    return property == Property::energy ? energy_std : property == Property::force ? force_std : stress_std;
  }
  bool std_of(Property property) const { return PredictionRequest(*this).std_of(property); }
};

/// Energies in eV, forces in eV/Å, virial in eV (−dE/dstrain).
///
/// `…_std`: the error to expect against a new reference value: √(a² v + b² noise²) with row_noise() (model/noise.hpp: the structure's own
/// σ, else that of its config type) and the model's calibration (methods.md, section 5; without it a = b = 1 and v = novelty + data).
/// `…_epistemic`: the part that more data would remove: with calibrated data parts or jackknife variances a√v, else √(novelty + data).
/// Environments without a Structure have the config type "default". A property that was not fitted has no noise. An imported model has no
/// posterior, so no error bars; local_std then gives `local_quip_variance` instead.
struct Prediction {
  double energy = 0;
  Vector local_energy;  ///< sums to energy, or to its difference from the base
  std::optional<Positions> forces;
  std::optional<Matrix3> virial;
  std::optional<std::vector<Matrix3>> atom_virial;            ///< eV; −Σ_j dE_i/dr_ij ⊗ r_ij of each atom, symmetric; sums to virial
  std::optional<double> energy_std, energy_std_epistemic;     ///< eV
  std::optional<Positions> forces_std, forces_std_epistemic;  ///< eV/Å
  std::optional<Voigt> virial_std, virial_std_epistemic;      ///< eV; xx yy zz yz xz xy
  std::optional<Matrix> forces_covariance;  ///< [atoms, 6] (eV/Å)², xx yy zz yz xz xy of each atom; the diagonal is forces_std²
  std::optional<Vector> local_energy_std_epistemic;
  /// Extrapolation grade of each atom (methods.md, section 5): above 1 the atom is unlike the training data. Always of all sparse points.
  std::optional<Vector> extrapolation;
  std::optional<Vector> local_quip_variance;  ///< eV²: QUIP's variance of local energies (methods.md, section 5)
  /// Novelty as a fraction of the prior variance: the largest of the forces on atoms, else of the energy. Near 1: no training data resemble
  /// it, mean and error bar are those of the prior.
  std::optional<double> novelty;
  /// Terms of the model (ascending) with environments here but without sparse points, because the training data had no such environments:
  /// the mean lacks their energy, and the error bars include it as novelty.
  std::vector<std::size_t> unsampled_terms;
  Closeness closeness;                         ///< of the atoms to each other, compared with the training data
  bool is_finite = true;                       ///< energies, forces and virial; always true without PredictionRequest::keep_not_finite
  std::vector<PropertyPrediction> properties;  ///< in the order of Model::properties; not of environments without a structure
  std::vector<TensorPrediction> tensors;       ///< in the order of Model::tensors; not of environments without a structure
  /// The base with reference energies, as rows(): the prediction without anything learned. Empty without a base.
  PerTarget<std::vector<double>> base_alone;

  /// A target in the order and unit of TargetInfo::rows; empty if not requested.
  std::vector<double> rows(Property property) const;
  /// Adds rows to a target that has some.
  void add(Property property, const std::vector<double>& rows);
  /// Takes a target away; the energy stays.
  void leave_out(Property property);
  std::span<double> std_of(Property property);
  std::span<double> epistemic_of(Property property);
  std::span<const double> std_of(Property property) const { return const_cast<Prediction*>(this)->std_of(property); }
  std::span<const double> epistemic_of(Property property) const { return const_cast<Prediction*>(this)->epistemic_of(property); }
};

/// A row of a target with reference and prediction, in the unit of the target.
struct ComparedRow {
  int row = 0;  ///< within the target
  double predicted = 0, reference = 0;
  double std = 0, epistemic = 0;  ///< 0 without error bars

  double error() const { return predicted - reference; }
};
/// All rows with reference and prediction, except masked ones; none if the frame or the prediction lacks the target.
std::vector<ComparedRow> compared_rows(const Structure& frame, const Prediction& prediction, const TargetInfo& target);

/// E_b − E_a of two structures and its error bars, eV. Similar structures have most of their error in common, so the error bar of
/// the difference is smaller than those of the energies.
struct EnergyDifference {
  double energy = 0;
  double std = 0, std_epistemic = 0;
  Closeness closeness_a, closeness_b;
  bool is_finite_a = true, is_finite_b = true;  ///< of the two energies; if one is false, the numbers above are invalid

  bool is_finite() const { return is_finite_a && is_finite_b; }
};

/// A model prepared for evaluation. One object per thread of control (it owns scratch memory); threads inside.
///
/// Cost per atom, M sparse points, D features, P neighbours: 4 M D flop in two GEMMs, and O(P n_max l_max²) for descriptor and pullback:
/// nothing in M × P. Memory is bounded: atoms are processed in chunks.
class Predictor {
 public:
  /// error_bar_points > 0: error bars from the model of this number of sparse points (with_fewer_points), faster in proportion and wider;
  /// the mean is that of all points.
  explicit Predictor(std::shared_ptr<const Model> model, int error_bar_points = 0);
  ~Predictor();

  const Model& model() const { return *model_; }

  /// Throws InputError naming structure and element if the model does not know one or has no extrapolation threshold for it, or if the
  /// values of the model that it sits on are missing; NumericalError naming structure and closest atoms if the prediction is not finite.
  Prediction compute(const Structure& structure, const PredictionRequest& request = {});
  /// The same with the neighbours of the structure within the model's cutoff or beyond, if the caller has them.
  Prediction compute(const Structure& structure, const Environments& environments, const PredictionRequest& request = {});

  /// The same for several structures at once: faster for small ones, because matrix products have more rows. Results are equal up to
  /// rounding. A thousand atoms together suffice; more only take memory.
  std::vector<Prediction> compute(std::span<const Structure> structures, const PredictionRequest& request = {});

  /// Throws InputError also if the model has no posterior. `keep_not_finite`: as in PredictionRequest.
  EnergyDifference difference(const Structure& a, const Structure& b, bool calibrated = true, bool keep_not_finite = false);

  /// For programs with neighbour lists of their own (molecular dynamics): centres with their neighbours, including ghosts. Forces and local
  /// energies have `atoms` rows, one for every index: forces act on ghosts too, but local energies are whole at centres and zero at ghosts.
  /// The energy and its error bar are those of the centres. Error bars of forces need every environment that contains one of the atoms:
  /// error_bars() can have other environments than the mean.
  /// A model on top of another one gives the difference only (PredictionRequest::difference), else InputError.
  Prediction compute(const Environments& environments, int atoms, const PredictionRequest& request = {});

  /// Only error bars (requests of the mean are ignored), of the forces on atoms 0 … atoms−1. Throws InputError if the model
  /// has no posterior.
  Prediction error_bars(const Environments& environments, int atoms, const PredictionRequest& request);

 private:
  struct Scratch;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Scratch> scratch_;
};

/// Voigt stress xx yy zz yz xz xy in eV/Å³, positive under tension, of a virial in eV.
Voigt stress_of(const Matrix3& virial, double volume);

}  // namespace gapkit
