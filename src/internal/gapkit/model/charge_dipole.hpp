#pragma once

#include <gapkit/io/targets.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/potentials/atom_field.hpp>
#include <span>

namespace gapkit {

/// The part Σ_i q_i (r_i − r₀) of a dipole with the charges q that a local property of the model gives (methods.md, section 10). r₀ is the
/// origin of the tensor's labels: the centre of mass, of nuclear charge or of the atoms; the last if it names none. Re-entrant.
/// Source: Veit, Wilkins, Yang, DiStasio & Ceriotti, J. Chem. Phys. 153, 024113 (2020).
class ChargeDipole {
 public:
  struct Value {
    Vector3 dipole;      ///< unit of the charges times Å
    Matrix derivatives;  ///< [3 atoms, 3] by the positions, component b of coordinate a of atom k in row 3k + a; empty unless wanted
  };

  /// Null if the tensor has no charges. Throws InputError, which begins with `where`, if there is no such property, or if its charges come
  /// from an equilibration.
  static std::shared_ptr<const ChargeDipole> of(const TensorKeys& keys, std::span<const FittedProperty> properties,
                                                const std::string& where = "");

  /// Throws InputError for a structure with periodic directions, in which the dipole of charges is not defined.
  Value compute(const Structure& structure, bool derivatives) const;
  /// r_i − r₀
  Positions from_origin(const Structure& structure) const;

 private:
  ChargeDipole(AtomFieldPointer charges, std::string origin) : charges_(std::move(charges)), origin_(std::move(origin)) {}
  Vector weights_of_origin(const Structure& structure) const;

  AtomFieldPointer charges_;
  std::string origin_;
};

}  // namespace gapkit
