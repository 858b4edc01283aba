#pragma once

#include <functional>
#include <gapkit/potentials/potential.hpp>
#include <set>
#include <span>

namespace gapkit {

/// A number of each atom (charge, electronegativity, volume) that a fitted field gives.
struct AtomValues {
  Vector values;
  /// Adds −Σ_i λ_i ∂v_i/∂r to the forces and −Σ_i λ_i ∂v_i/∂strain to the virial. Null without derivatives. To be called on the thread that
  /// computed the values.
  std::function<void(std::span<const double> slopes, Positions& forces, Matrix3& virial)> pull_back;
};

/// A local property of a model, as potentials see it. Re-entrant.
class AtomField {
 public:
  virtual ~AtomField() = default;

  /// Throws InputError, which begins with the structure's place, for an element without data of the property.
  virtual AtomValues compute(const Structure& structure, bool derivatives) const = 0;
  /// Key of a frame with the sum over its atoms; "total_charge" if the fit named none.
  virtual const std::string& total_key() const = 0;
  /// Tells fields apart: equal for the same weights and points.
  virtual std::string fingerprint() const = 0;
  /// Of a field of electronegativities; null for others.
  virtual const Equilibration* equilibration() const { return nullptr; }
};

using AtomFieldPointer = std::shared_ptr<const AtomField>;

/// The side of a potential whose energy depends on a local property of the model. The table makes such a potential from its parameters,
/// without the field, and it throws InputError if it is evaluated so; the fit and load_model() give it the field (model/bound_fields.hpp).
class FieldDependence {
 public:
  virtual ~FieldDependence() = default;

  /// Name of the property; empty: the potential depends on none.
  virtual std::string property() const = 0;
  /// Null without one.
  virtual AtomFieldPointer field() const = 0;
  /// The same potential with this field.
  virtual PotentialPointer with_field(AtomFieldPointer field) const = 0;
  /// λ_i = dE/dv_i of the field's values at the atoms, per unit of the property: the error of the energy to first order is Σ λ_i δv_i.
  virtual Vector slopes(const Structure& structure) const = 0;
};

/// Null if the potential depends on no property.
const FieldDependence* field_dependence(const Potential& potential);
/// Keys of frames with the total charges that potentials read; absent keys mean 0.
std::set<std::string> total_keys(std::span<const PotentialPointer> potentials);
/// Name of the property that a potential needs and does not have; empty if there is none.
std::string missing_property(const Potential& potential);

}  // namespace gapkit
