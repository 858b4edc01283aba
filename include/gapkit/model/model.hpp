#pragma once

#include <filesystem>
#include <gapkit/io/targets.hpp>
#include <gapkit/model/posterior.hpp>
#include <gapkit/potentials/potential.hpp>
#include <map>
#include <optional>

namespace gapkit {

/// 1: every model has a posterior; 2: it may be absent; 3: not used; 4: the model is on top of another one; 5: the features of a
/// term are mapped (compression); 6: a calibration has factors of a part of the epistemic variance; 7: the channels of a term are
/// contracted; 8: a cautious calibration; 9: a baseline needs the whole cell; 10: it needs a property; 11: charge equilibration, or learned
/// volumes of dispersion; 12: symmetry functions; 13: a kernel of a network; 14: tensors; 15: a tensor without labels but derivatives, with
/// charges, or with two factors of its error bars, or
/// extrapolation thresholds of the full spectrum.
/// A model is written with the lowest that has all of its parts.
inline constexpr int model_format_version = 15;

/// Å, by the atomic numbers of a pair of elements, smaller first; only for pairs within the cutoff of the terms.
using ShortestDistances = std::map<std::pair<int, int>, double>;

/// The epistemic variance v that the factor a of a calibration belongs to (methods.md, section 5).
enum class EpistemicPart {
  all,        ///< C: novelty and data part
  data,       ///< the data part, and novelty as far as it is unfamiliar
  jackknife,  ///< J: how far predictions move where structures are left out of the fit; novelty as with `data`
  cautious    ///< a product of powers of these (CautiousPowers); novelty as with `data`
};

/// Exponents of the form of a cautious calibration (methods.md, section 5). Energy and virial: v = N² (J/N²)^jackknife. Forces: v = data
/// part of the component times d^data J^jackknife C^total, with the means d, J and C over the components of the force on the atom.
struct CautiousPowers {
  double data = 0, jackknife = 0, total = 0;
};

/// Errors of left-out rows over the calibrated error bars, z.
struct CalibrationQuality {
  double zms = 0;                         ///< ⟨z²⟩
  double coverage68 = 0, coverage95 = 0;  ///< shares with |z| ≤ 1 and 1.96
};

/// Factors of an error bar: std² = a² v + b² σ_g² h² (methods.md, section 5).
struct CalibrationFactors {
  Property property = Property::energy;
  std::string config_class = "default";   ///< a config type with factors of its own, or "default" for all others
  double a = 1, b = 1;                    ///< ≥ 0
  std::int64_t rows = 0, structures = 0;  ///< left-out data behind these factors
  EpistemicPart part = EpistemicPart::all;
  int element = 0;          ///< atomic number, if they are for its atoms alone
  std::int64_t points = 0;  ///< sparse points of the error bars (with_fewer_points), if not all
  std::optional<CalibrationQuality> quality = {};
  CautiousPowers powers = {};  ///< with EpistemicPart::cautious
};

/// A part of the extrapolation grade that does not count.
inline constexpr double no_threshold = 1e30;

/// Border between familiar and unfamiliar atoms of one element, from left-out training atoms (methods.md, section 5).
struct ExtrapolationThreshold {
  int element = 0;         ///< atomic number
  double novelty = 0;      ///< of ν, the relative novelty of the local energy
  double std = 0;          ///< of √(novelty + data) of the local energy, eV; no_threshold if variances of local energies mean nothing
  std::int64_t atoms = 0;  ///< left-out atoms behind these
  double full_novelty = no_threshold;  ///< of ν of the terms of the full spectrum (RelativeNovelty), if the element has such terms
};

/// Calibration of a model's error bars. Properties without factors keep a = b = 1 of C and are uncalibrated.
struct Calibration {
  std::vector<CalibrationFactors> factors;
  std::string source;  ///< "leave_one_out", "holdout" (set aside before the fit and added afterwards) or "validation"
  /// Novelty over prior variance up to which novelty is familiar; of factors of parts.
  PerTarget<double> familiar = {};
  std::optional<double> familiar_of_fewer = {};  ///< of forces, for factors of fewer points, whose span is smaller; absent: as of all
  Matrix jackknife = {};                         ///< [r, M] F: J = |F φ|² of a whitened row φ; empty if no factors need it
  /// By element, ascending; only with "leave_one_out", and only of elements with enough left-out atoms.
  std::vector<ExtrapolationThreshold> extrapolation = {};

  /// Whether there are factors for a property: otherwise its error bars are uncalibrated.
  bool covers(Property property) const { return find(property, "default") != nullptr; }

  /// Factors of the config type, else the default ones, with those of the element before others; null if the property has none.
  const CalibrationFactors* find(Property property, const std::string& config_type, int element = 0) const {
    const CalibrationFactors* chosen = nullptr;
    int best = -1;
    for (const CalibrationFactors& f : factors) {
      const bool is_class = f.config_class == config_type, is_element = f.element == element;
      if (f.property != property || f.points != 0 || !(is_class || f.config_class == "default") || !(is_element || f.element == 0))
        continue;
      const int match = 2 * is_class + is_element;
      if (match > best) chosen = &f;
      best = std::max(best, match);
    }
    return chosen;
  }
};

struct Model;
struct FittedTensor;

/// A local property of a model: a fit of its own.
struct FittedProperty {
  PropertyKeys keys;
  /// Its local energies are the values, in the unit of the property; its reference energies are the means of the elements.
  std::shared_ptr<const Model> field;
  /// With it the local energies are electronegativities (eV/e), and the values are the charges that they give.
  std::optional<Equilibration> equilibration = {};
};

/// A fitted potential: reference energies, terms, and the posterior of their weights. Immutable after the fit.
///
/// A model imported from another program may have weights only: then factor and posterior are empty, and the only error bar is the
/// variance of the other program (notes["origin"] has its name).
struct Model {
  std::map<int, double> reference_energies;  ///< eV per atom, by atomic number; its keys are the elements of the model
  std::vector<PotentialPointer> baselines;
  BaseKeys base;  ///< another model that this one sits on: predictions need its values (Structure::base), or are the difference
  std::vector<Term> terms;
  SparseFactor factor;
  Posterior posterior;
  Vector weights;  ///< c, one per sparse point, term by term

  std::vector<FittedProperty> properties;                    ///< local properties that were fitted beside the energies
  std::vector<std::shared_ptr<const FittedTensor>> tensors;  ///< dipoles, polarisabilities, … that were fitted beside the energies
  std::optional<Calibration> calibration;                    ///< of the error bars; absent: uncalibrated
  std::optional<ShortestDistances> shortest_distances;       ///< in the training data; absent: unknown

  // Origin of the model
  std::string gapkit_version;  ///< of the program that wrote the file; empty if the model was not loaded
  std::string configuration;   ///< resolved, TOML
  std::uint64_t seed = 0;
  std::string data_fingerprint;              ///< of the training frames
  bool scale_with_atoms = true;              ///< σ_E and σ_V were multiplied by √N
  std::map<std::string, std::string> notes;  ///< "training_errors" (JSON), "validation_errors", …

  /// False for members of an ensemble and for models of other programs, which have weights, but no error bars from data.
  bool has_posterior() const { return posterior.factor.rows() > 0; }
  /// Whether extrapolation grades are possible, at least of some elements.
  bool has_extrapolation() const { return has_posterior() && calibration && !calibration->extrapolation.empty(); }
  bool knows(int atomic_number) const { return reference_energies.count(atomic_number) > 0; }
  double cutoff() const { return std::max(largest_cutoff(terms), largest_cutoff(baselines)); }
};

/// One HDF5 file (docs/file-formats.md), written to a temporary file and renamed.
void save_model(const Model& model, const std::filesystem::path& path);
/// Throws InputError with the reason: not a model, a later version, damaged, inconsistent shapes.
Model load_model(const std::filesystem::path& path);

}  // namespace gapkit
