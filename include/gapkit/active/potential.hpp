#pragma once

#include <functional>
#include <gapkit/core/parameters.hpp>
#include <gapkit/core/structure.hpp>
#include <memory>

namespace gapkit {

/// What a potential says about one structure.
struct Evaluation {
  double energy = 0;                 ///< eV
  Positions forces;                  ///< eV/Å
  Matrix3 virial = Matrix3::Zero();  ///< −dE/dstrain, eV
};

/// Whatever gives energy, forces and virial of a structure: a fitted model, a built-in potential, any function.
using ForceProvider = std::function<Evaluation(const Structure&)>;

/// A potential with fixed parameters, built in for trying and testing without any other program. Immutable, re-entrant, one thread; sums
/// run in a fixed order, so the same structure gives the same bits.
class Potential {
 public:
  virtual ~Potential() = default;
  virtual const Parameters& parameters() const = 0;
  /// Å; nothing beyond it matters.
  virtual double cutoff() const = 0;
  /// Any cell, any periodicity, cells smaller than the cutoff. O(N). Throws InputError for an element that the potential does not know,
  /// NumericalError if atoms are so close that the result is not finite.
  virtual Evaluation compute(const Structure& structure) const = 0;
};

/// One line of the table of potentials.
struct PotentialKind {
  std::string name;
  std::string description;
  std::vector<ParameterInfo> parameters;
  /// Parameters must be complete.
  std::function<std::shared_ptr<const Potential>(const Parameters&)> make;
};

/// The table: stillinger_weber, lennard_jones.
const std::vector<PotentialKind>& potential_kinds();

/// A potential by its name; parameters that are not given have their defaults. Throws InputError with the nearest name if unknown.
std::shared_ptr<const Potential> make_potential(std::string_view kind, const Parameters& parameters = {});

}  // namespace gapkit
