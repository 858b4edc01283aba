#pragma once

#include <functional>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/core/parameters.hpp>
#include <map>
#include <memory>

namespace gapkit {

/// Energy, forces and virial of one structure.
struct Evaluation {
  double energy = 0;                 ///< eV
  Positions forces;                  ///< eV/Å
  Matrix3 virial = Matrix3::Zero();  ///< −dE/dstrain, eV
};

/// Charge equilibration (methods.md, section 9) of elements, by atomic number.
struct Equilibration {
  std::map<int, double> widths;    ///< σ of the Gaussian charge, Å
  std::map<int, double> hardness;  ///< J, eV/e²
};

/// Sums that a potential adds its structure-level part to. `forces` and `virial` are both null if only energies are wanted.
struct StructureSums {
  std::span<double> local_energy;  ///< eV, one for each atom; the energy is their sum
  Positions* forces = nullptr;     ///< −dE/dr, eV/Å
  Matrix3* virial = nullptr;       ///< −dE/dstrain, eV
};

/// A source of energies: a built-in potential, a fitted term of a model, or another implementation of either.
///
/// The energy has a local part, which depends on environments, and may have a structure-level part, which needs the whole cell
/// (electrostatics). Built-in potentials are immutable and re-entrant; classes that own scratch memory are not. Sums run in a fixed order:
/// the same input gives the same bits.
class Potential {
 public:
  virtual ~Potential() = default;

  /// Name of the kind in the table, or the label of a fitted term.
  virtual std::string name() const = 0;
  /// Parameters of a kind in the table; empty for others.
  virtual const Parameters& parameters() const;
  /// Å; the local part depends only on atoms within it. 0: no local part.
  virtual double cutoff() const = 0;
  /// Throws InputError, which begins with the name, for an element without parameters.
  virtual void check_elements(std::span<const int> /*atomic_numbers*/) const {}

  /// Local part: adds each share of the energy (eV) to local_energy[atom] and, unless dE_dr is empty, the derivative of the shares' sum by
  /// r_ij to dE_dr[pair] (eV/Å), for the pairs of `environments`, which must reach as far as cutoff(). Each end of a pair has half of
  /// its energy; only centres get shares, so the whole share of an atom comes from its own environments. Any set of centres, any
  /// periodicity, cells smaller than the cutoff. Throws as check_elements().
  virtual void add(const Environments& environments, std::span<double> local_energy, std::span<Vector3> dE_dr) const = 0;

  /// Whether there is a structure-level part.
  virtual bool needs_structure() const { return false; }
  /// Structure-level part: added to the shares of the energy and, unless null, to forces and virial.
  virtual void add_structure(const Structure& /*structure*/, const StructureSums& /*sums*/) const {}
};

using PotentialPointer = std::shared_ptr<const Potential>;

/// One line of the table of potentials.
struct PotentialKind {
  std::string name;
  std::string description;
  std::vector<ParameterInfo> parameters;
  /// Parameters must be complete.
  std::function<PotentialPointer(const Parameters&)> make;
};

/// The table: zbl, pair_spline, stillinger_weber, lennard_jones, coulomb, dispersion. A new potential is one .cpp file and one line here;
/// each can be a baseline or long-range part (subtracted from the data before the fit, added in prediction, without an error bar) and a
/// labeller.
const std::vector<PotentialKind>& potential_kinds();
/// Throws InputError with the nearest name if unknown.
const PotentialKind& potential_kind(std::string_view name);
/// A potential by the name of its kind; missing parameters have their defaults. Throws InputError.
PotentialPointer make_potential(std::string_view kind, const Parameters& parameters = {});

/// 0 without potentials.
double largest_cutoff(std::span<const PotentialPointer> potentials);
/// Potential::check_elements of each; messages begin with the structure's place.
void check_elements(std::span<const PotentialPointer> potentials, const Structure& structure);

/// Energy, forces and virial of a sum of potentials. Any cell, any periodicity. O(N) for local potentials, one thread. Throws InputError
/// for an element that a potential does not know, NumericalError if a result is not finite because atoms are too close.
Evaluation evaluate(std::span<const PotentialPointer> potentials, const Structure& structure);
Evaluation evaluate(const Potential& potential, const Structure& structure);

/// Subtracts the potentials' energy, forces and virial from the targets of the structure.
void subtract_potentials(std::span<const PotentialPointer> potentials, Structure& structure);

/// Text of a file of tabulated pair energies, for the parameter `table` of pair_spline. Throws InputError with file and line.
///
/// Lines "pair Si C" begin the table of two elements; then one line "distance energy" (Å, eV of the bond) for each point, distances
/// ascending, at least four points, the last energy 0. "#" begins a comment.
std::string read_pair_tables(const std::string& path);

}  // namespace gapkit
