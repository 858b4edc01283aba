#pragma once

#include <gapkit/model/covariance.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/predict/closeness.hpp>

namespace gapkit {

struct PredictionRequest {
  bool forces = true;  ///< forces, virial and stress
  bool energy_std = false;
  bool local_std = false;
  bool force_std = false;
  bool stress_std = false;   ///< of virial (and so of stress)
  bool atom_virial = false;  ///< with forces only
  bool calibrated = true;    ///< apply the model's calibration, if it has one
  /// A prediction that is not finite (atoms on top of each other with a repulsive baseline) is returned, without error bars and with
  /// Prediction::is_finite = false, in place of NumericalError; of several structures the others have theirs.
  bool keep_not_finite = false;
  /// Of a model that sits on another one (Model::base): the difference alone, which the caller adds to the values of the other model. Else
  /// structures must bring these (Structure::base), and targets that the base does not give are not predicted.
  bool difference = false;

  bool error_bars() const { return energy_std || local_std || force_std || stress_std; }
  /// Whether the error bars of a target are asked for.
  bool& std_of(Property property) {
    return property == Property::energy ? energy_std : property == Property::force ? force_std : stress_std;
  }
  bool std_of(Property property) const { return PredictionRequest(*this).std_of(property); }
};

/// Energies in eV, forces in eV/Å, virial in eV (−dE/dstrain).
///
/// `…_epistemic`: √(novelty + data), what more data would remove, as the posterior has it. `…_std`: √(a² epistemic² + b² noise²) with
/// row_noise() (model/noise.hpp: the structure's own σ, else that of its config type) and the model's calibration (methods.md, section 5; a
/// = b = 1 without it): the error to expect against a new reference value. Environments without a Structure have the config type "default".
/// A property that was not fitted has no noise. An imported model has no posterior, so none of these; local_std then gives
/// `local_quip_variance` instead.
struct Prediction {
  double energy = 0;
  Vector local_energy;  ///< sums to energy, or to its difference from the base
  std::optional<Positions> forces;
  std::optional<Matrix3> virial;
  std::optional<std::vector<Matrix3>> atom_virial;            ///< eV; −Σ_j dE_i/dr_ij ⊗ r_ij of each atom, symmetric; sums to virial
  std::optional<double> energy_std, energy_std_epistemic;     ///< eV
  std::optional<Positions> forces_std, forces_std_epistemic;  ///< eV/Å
  std::optional<Voigt> virial_std, virial_std_epistemic;      ///< eV; xx yy zz yz xz xy
  std::optional<Vector> local_energy_std_epistemic;
  std::optional<Vector> local_quip_variance;  ///< eV²: QUIP's variance of local energies (methods.md, section 5)
  /// Novelty as a fraction of the prior variance: of the atom whose force the sparse set spans worst, else of the energy. Near 1: the
  /// model knows nothing like it, mean and error bar are the prior's.
  std::optional<double> novelty;
  /// Terms of the model (ascending) that have environments here but no sparse points, as the training data had none: their energy is
  /// missing from the mean, and the error bars count it as novelty.
  std::vector<std::size_t> unsampled_terms;
  Closeness closeness;    ///< of the atoms to each other, compared with the training data
  bool is_finite = true;  ///< energies, forces and virial; always true without PredictionRequest::keep_not_finite
  /// The base with reference energies, as rows(): the prediction without anything learned. Empty without a base.
  PerTarget<std::vector<double>> base_alone;

  /// A target in the order and unit of TargetInfo::rows; empty if it was not asked for.
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

/// A row of a target that a frame brings along and that was predicted, in the unit of the target.
struct ComparedRow {
  int row = 0;  ///< within the target
  double predicted = 0, reference = 0;
  double std = 0, epistemic = 0;  ///< 0 without error bars

  double error() const { return predicted - reference; }
};
/// All rows that can be compared, those that the mask leaves out aside; none if the frame or the prediction lacks the target.
std::vector<ComparedRow> compared_rows(const Structure& frame, const Prediction& prediction, const TargetInfo& target);

/// E_b − E_a of two structures and its error bars, eV. Structures that resemble each other share most of their error, so the difference
/// is known far better than either energy.
struct EnergyDifference {
  double energy = 0;
  double std = 0, std_epistemic = 0;
  Closeness closeness_a, closeness_b;
  bool is_finite_a = true, is_finite_b = true;  ///< of the two energies; if one is false, the numbers above mean nothing

  bool is_finite() const { return is_finite_a && is_finite_b; }
};

/// A model made ready for evaluation. One object per thread of control (it owns scratch memory); threads inside.
///
/// Cost per atom, M sparse points, D features, P neighbours: 4 M D flop in two GEMMs, and O(P n_max l_max²) for descriptor and pullback:
/// nothing in M × P. Memory is bounded: atoms are worked on in chunks.
class Predictor {
 public:
  /// error_bar_points > 0: error bars from the model of so many sparse points (with_fewer_points), faster in proportion and wider; the mean
  /// is that of all points.
  explicit Predictor(std::shared_ptr<const Model> model, int error_bar_points = 0);
  ~Predictor();

  const Model& model() const { return *model_; }

  /// Throws InputError naming structure and element if the model does not know one, or if the values of the model that it sits on are
  /// missing; NumericalError naming structure and closest atoms if the prediction is not finite.
  Prediction compute(const Structure& structure, const PredictionRequest& request = {});
  /// The same with neighbours that the caller has already: those of the structure, within the model's cutoff or beyond.
  Prediction compute(const Structure& structure, const Environments& environments, const PredictionRequest& request = {});

  /// The same for several structures at once: faster where they are small, as matrix products then have more rows. Equal to one after
  /// the other up to rounding. A thousand atoms together are enough; more take memory only.
  std::vector<Prediction> compute(std::span<const Structure> structures, const PredictionRequest& request = {});

  /// Throws InputError also if the model has no posterior. `keep_not_finite`: as in PredictionRequest.
  EnergyDifference difference(const Structure& a, const Structure& b, bool calibrated = true, bool keep_not_finite = false);

  /// For programs that have neighbours already (molecular dynamics): centres with their neighbours, ghosts allowed. Forces and local
  /// energies have `atoms` rows, one for every index that occurs: forces act on ghosts too, but a local energy is whole at its centre and
  /// zero elsewhere. The energy is that of the centres, and so is its error bar. Error bars of forces need every environment that contains
  /// one of the atoms: error_bars() can have other environments than the mean.
  /// A model that sits on another one gives the difference only (PredictionRequest::difference), else InputError.
  Prediction compute(const Environments& environments, int atoms, const PredictionRequest& request = {});

  /// Error bars alone (what the request says of the mean is ignored), of the forces on atoms 0 … atoms−1. Throws InputError if the model
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
