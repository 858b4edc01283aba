#pragma once

#include <gapkit/core/types.hpp>
#include <initializer_list>

namespace gapkit {

struct Structure;

/// An atomic function with a Gaussian-process prior. It is not observable; targets are functionals of it.
enum class AtomicField {
  energy,
  property  ///< a local property, such as the charge of an atom: a scalar with terms and noise of its own
};

/// The functional of a field that a target is. It is linear, so rows of the fit and covariances follow from the kernel of the field.
enum class Functional {
  sum,                      ///< over the atoms
  minus_gradient,           ///< of the sum, by the position of an atom
  minus_strain_derivative,  ///< of the sum
  value,                    ///< at an atom
  first_moment              ///< Σ (r_i − r̄) times the value at atom i, with the centroid r̄
};

/// The targets, in the order of all_targets(): rows of a structure have this order, and files contain these numbers.
enum class Property { energy, force, virial, value, total, dipole };
inline constexpr std::size_t target_count = 6;

/// One value for each target.
template <class T>
class PerTarget {
 public:
  PerTarget() : values_{} {}
  explicit PerTarget(const T& all) : values_{} { values_.fill(all); }
  /// In the order of all_targets(); missing values are T().
  PerTarget(std::initializer_list<T> values) : values_{} {
    for (std::size_t i = 0; i < values.size() && i < target_count; ++i) values_[i] = values.begin()[i];
  }

  T& operator[](Property property) { return values_[static_cast<std::size_t>(property)]; }
  const T& operator[](Property property) const { return values_[static_cast<std::size_t>(property)]; }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  bool operator==(const PerTarget&) const = default;

 private:
  std::array<T, target_count> values_;
};

/// σ of the rows of a target in a frame, in the target's unit: a row has the σ of its component, else of its atom, else of the frame, else
/// none.
struct GivenSigmas {
  std::optional<double> frame;
  std::vector<double> atom;       ///< one per atom, or empty
  std::vector<double> component;  ///< one per row, or empty

  std::optional<double> of_row(int row, int components) const;
};

/// A key of the comment line, or a column, that can hold a target. Predictions are written with the same names after a prefix.
struct TargetSource {
  const char* name;                  ///< in [data] NAME_key, --NAME-key, PREFIXNAME
  const char* plural;                ///< in messages
  std::vector<const char*> endings;  ///< of the default names: after no prefix, REF_, dft_ and DFT_
  bool is_column;                    ///< else a key of the comment line
  const char* unit;                  ///< of the numbers in the file
  const char* note = "";             ///< in the log, after the number of frames with this key
};

/// Normalisation that makes values of a target comparable between structures.
enum class Normalisation {
  none,
  per_atom,         ///< value / N
  minus_per_volume  ///< −value / V
};

/// How tables, JSON and reports show a target: values in `unit`, errors and error bars in `error_unit`.
struct ShownTarget {
  const char* name;        ///< "forces": in tables and JSON
  const char* plural;      ///< "stresses"
  const char* title;       ///< "Force": in reports
  const char* components;  ///< "force components": in tables of error bars
  const char* entry;       ///< "component": one row
  const char* vectors;     ///< "atoms": in JSON, for error bars of whole vectors of atoms; else empty
  bool by_config_type;     ///< reports show its error bars by config type
  Normalisation normalisation;
  double factor;  ///< to `unit`, after the normalisation
  const char* unit;
  double error_factor;  ///< errors in error_unit = this × errors in unit
  const char* error_unit;
  int digits;  ///< of errors in tables, after the decimal point
};

/// One line of the table of targets.
struct TargetInfo {
  Property property;
  AtomicField field;
  Functional functional;
  const char* name;                    ///< "force": of its rows and their σ
  std::vector<const char*> std_names;  ///< accepted by --std; messages use the first
  const char* std_text;                ///< description of these error bars in the help of --std
  std::vector<TargetSource> sources;   ///< a frame has one of them, or several that agree; predictions have all of them
  const char* unit;                    ///< of values and σ
  int components;                      ///< of a structure, or of one atom
  bool is_per_atom;
  bool has_mask;           ///< atoms of Structure::force_mask have no rows
  double sigma;            ///< the default
  bool scales_with_atoms;  ///< σ is multiplied by √N
  double vanishing;        ///< limit of vanishes()
  ShownTarget shown;

  /// The rows of a frame, in `unit`; empty if the frame does not have the target.
  std::vector<double> (*rows)(const Structure&);
  /// Sets the rows of a frame; removes the target if `rows` is empty.
  void (*set)(Structure&, const std::vector<double>& rows);
  /// Whether rows of a frame can be fitted.
  bool (*can_be_fitted)(const Structure&);

  bool is_single() const { return !is_per_atom && components == 1; }
  bool is_vector_of_atoms() const { return is_per_atom && components == 3; }
  bool is_tensor() const { return !is_per_atom && components == 6; }
  int row_count(int atoms) const { return is_per_atom ? components * atoms : components; }
  /// True for a row of an atom that the mask excludes.
  bool is_masked(const Structure& structure, int row) const;
  /// h: √N if σ scales with the number of atoms, else 1.
  double noise_scale(int atoms, bool scale_with_atoms) const;
  /// Unit of σ in the configuration: "eV times √atoms".
  std::string sigma_unit(bool scale_with_atoms) const;
  /// True if a component is zero by symmetry, for any model: prediction, reference and epistemic std are below `vanishing`.
  bool vanishes(double predicted, double reference, double epistemic) const;

  /// From the unit of the target to the unit of `shown`; absent without atoms or without volume, if the normalisation needs them.
  struct Scale {
    double divisor = 1, factor = 1;
    double operator()(double value) const { return value / divisor * factor; }
  };
  std::optional<Scale> shown_scale(const Structure& structure) const;
};

/// The table of targets. A new line adds a target everywhere except in Structure, which holds it, and in KernelRows and Predictor, which
/// compute its rows and predictions.
const std::vector<TargetInfo>& all_targets();
/// The first lines of the table: the targets of the energy, which frames, configurations and tables name. The others belong to the fit of a
/// local property (PropertyKeys in io/targets.hpp).
const std::vector<TargetInfo>& targets();
inline const TargetInfo& target_info(Property property) {
  return all_targets()[static_cast<std::size_t>(property)];
}
inline const char* property_name(Property property) {
  return target_info(property).name;
}
/// Of targets(), in the order of the table.
const std::vector<TargetSource>& target_sources();
PerTarget<double> default_sigmas();

}  // namespace gapkit
