#pragma once

#include <gapkit/potentials/atom_field.hpp>
#include <gapkit/potentials/coulomb.hpp>

namespace gapkit {

/// The structure whose charges are asked for, and how they are to be summed.
struct ChargeRequest {
  const Structure& structure;
  std::span<const double> widths;  ///< σ of each atom, Å; empty: points
  double accuracy = 1e-8;          ///< eV per atom
};

/// Where the charges of a Coulomb energy come from: one class for each, in charge_source.cpp (fixed, given) or a file of its own, and one
/// line in make_charge_source(). Immutable and re-entrant.
class ChargeSource {
 public:
  virtual ~ChargeSource() = default;

  /// Throws InputError for an element without a charge.
  virtual void check_elements(std::span<const int> /*atomic_numbers*/) const {}
  /// e. Throws InputError, which begins with the structure's place.
  virtual std::vector<double> charges(const ChargeRequest& request) const = 0;
  /// Adds the energy of the charges (and their forces and virial if the sums have them), with all that comes from changes of the charges.
  virtual void add(const ChargeRequest& request, const StructureSums& sums) const;

  /// Constant charges times a factor; null where that has no meaning.
  virtual std::shared_ptr<const ChargeSource> scaled(double /*factor*/) const { return nullptr; }

  // Of a source that depends on a local property of the model: see FieldDependence.
  virtual std::string property() const { return ""; }
  virtual AtomFieldPointer field() const { return nullptr; }
  virtual std::shared_ptr<const ChargeSource> with_field(AtomFieldPointer /*field*/) const { return nullptr; }
  virtual Vector slopes(const ChargeRequest& /*request*/) const { return {}; }
};

using ChargeSourcePointer = std::shared_ptr<const ChargeSource>;

/// The source that the parameter `charges` names: "given", "learned", "equilibrated", or charges by element. Brings `charges` into its
/// usual form and takes out parameters of other sources.
ChargeSourcePointer make_charge_source(Parameters& parameters);

/// Charges that a local property gives, made to sum to the frame's total charge (methods.md, section 9).
ChargeSourcePointer learned_charges(const std::string& property);

/// Charges by equilibration, with electronegativities that a local property gives (methods.md, section 9).
ChargeSourcePointer equilibrated_charges(const std::string& property);

/// Adds shares, forces and virial of the Coulomb sum at constant charges.
CoulombSum add_coulomb(const ChargeRequest& request, std::span<const double> charges, const StructureSums& sums);

}  // namespace gapkit
