#pragma once

#include <gapkit/core/types.hpp>
#include <initializer_list>

namespace gapkit {

struct Structure;

/// An atomic function with a Gaussian-process prior. It is not observed itself: targets are functionals of it.
enum class AtomicField { energy };

/// What a target takes of its field. Each is linear, so that rows of the fit and covariances follow from those of the field.
enum class Functional {
  sum,                      ///< over the atoms
  minus_gradient,           ///< of the sum, by the position of an atom
  minus_strain_derivative,  ///< of the sum
  value                     ///< at an atom
};

/// The targets, in the order of targets(): rows of a structure stand in this order, and files hold these numbers.
enum class Property { energy, force, virial };
inline constexpr std::size_t target_count = 3;

/// One value for each target.
template <class T>
class PerTarget {
 public:
  PerTarget() : values_{} {}
  explicit PerTarget(const T& all) : values_{} { values_.fill(all); }
  /// In the order of targets(); those that are not listed have T().
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

/// σ that a frame brings with it for the rows of a target, in the target's unit: a row has that of its component, else that of its atom,
/// else that of the frame, else none.
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
  std::vector<const char*> endings;  ///< of the default names: these after nothing, REF_, dft_ and DFT_
  bool is_column;                    ///< else a key of the comment line
  const char* unit;                  ///< of the numbers in the file
  const char* note = "";             ///< in the log, after the number of frames that have it
};

/// What makes values of a target comparable between structures.
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
  const char* vectors;     ///< "atoms": in JSON, of error bars of vectors of atoms as a whole; else empty
  bool by_config_type;     ///< reports have a table of its error bars by config type
  Normalisation normalisation;
  double factor;  ///< to `unit`, after the normalisation
  const char* unit;
  double error_factor;  ///< errors in error_unit = this × errors in unit
  const char* error_unit;
  int digits;  ///< of errors in tables, after the point
};

/// One line of the table of targets.
struct TargetInfo {
  Property property;
  AtomicField field;
  Functional functional;
  const char* name;                    ///< "force": of its rows and their σ
  std::vector<const char*> std_names;  ///< that --std understands; messages have the first
  const char* std_text;                ///< of these error bars, in the help of --std
  std::vector<TargetSource> sources;   ///< a frame has one of them, or several that agree; predictions have all
  const char* unit;                    ///< of values and σ
  int components;                      ///< of a structure, or of one atom
  bool is_per_atom;
  bool has_mask;           ///< the atoms of Structure::force_mask have no rows
  double sigma;            ///< the default
  bool scales_with_atoms;  ///< σ is multiplied by √N
  double vanishing;        ///< limit of vanishes()
  ShownTarget shown;

  /// The rows that a frame has of it, in `unit`; none if the frame does not have it.
  std::vector<double> (*rows)(const Structure&);
  /// Gives a frame these rows; takes the target away if there are none.
  void (*set)(Structure&, const std::vector<double>& rows);
  /// Whether the rows of a frame that has some can be fitted.
  bool (*can_be_fitted)(const Structure&);

  bool is_single() const { return !is_per_atom && components == 1; }
  bool is_vector_of_atoms() const { return is_per_atom && components == 3; }
  bool is_tensor() const { return !is_per_atom && components == 6; }
  int row_count(int atoms) const { return is_per_atom ? components * atoms : components; }
  /// True for a row of an atom that the mask leaves out.
  bool is_masked(const Structure& structure, int row) const;
  /// h: √N if σ scales with the number of atoms, else 1.
  double noise_scale(int atoms, bool scale_with_atoms) const;
  /// Of σ as it is given: "eV times √atoms".
  std::string sigma_unit(bool scale_with_atoms) const;
  /// True if symmetry makes a component zero, whatever the model: prediction, reference and epistemic std are below `vanishing`.
  bool vanishes(double predicted, double reference, double epistemic) const;

  /// From the unit of the target to that of `shown`; absent where that makes no sense: without atoms, without volume.
  struct Scale {
    double divisor = 1, factor = 1;
    double operator()(double value) const { return value / divisor * factor; }
  };
  std::optional<Scale> shown_scale(const Structure& structure) const;
};

/// The table of targets. With a new line everything knows the target but what computes it: Structure holds it, KernelRows and Predictor
/// make its rows and predictions.
const std::vector<TargetInfo>& targets();
inline const TargetInfo& target_info(Property property) {
  return targets()[static_cast<std::size_t>(property)];
}
inline const char* property_name(Property property) {
  return target_info(property).name;
}
/// In the order of the table.
const std::vector<TargetSource>& target_sources();
PerTarget<double> default_sigmas();

}  // namespace gapkit
