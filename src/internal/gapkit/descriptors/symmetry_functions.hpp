#pragma once

#include <gapkit/descriptors/descriptor.hpp>

namespace gapkit {

/// One symmetry function of a centre (methods.md, section 2). Pairs of neighbours are unordered; images are neighbours of their own.
struct SymmetryFunction {
  enum class Kind { G2, G4, G5, wG2, wG4 };

  Kind kind = Kind::G2;
  int first = 0, second = 0;  ///< atomic numbers of the neighbours, ascending; 0: all of them (wG2, wG4), or no second one
  double eta = 0;             ///< η, 1/Å²
  double shift = 0;           ///< r_s, Å
  double cutoff = 0;          ///< r_c, Å
  int lambda = 1;             ///< ±1
  double zeta = 1;            ///< ≥ 1

  bool is_angular() const { return kind == Kind::G4 || kind == Kind::G5 || kind == Kind::wG4; }
  bool is_weighted() const { return kind == Kind::wG2 || kind == Kind::wG4; }
  bool operator==(const SymmetryFunction&) const = default;
  /// As in a list of the configuration: "G5 O Si eta=0.1 lambda=-1 zeta=4 cutoff=5"; all digits.
  std::string text() const;
};

/// An entry of a list: a function of the centres of one element, or of all (0), with its place in the list for messages.
struct ListedFunction {
  int centre = 0;
  /// A function of named elements has one instance; without names one for each element or unordered pair.
  bool has_elements = true;
  SymmetryFunction function;
  int entry = 0;  ///< from 1
};

/// Entries of a list, one per line. Functions without a cutoff get `cutoff`. Throws InputError that names the entry.
std::vector<ListedFunction> read_symmetry_functions(const std::string& text, double cutoff);

/// Values of one function over the training environments of a centre.
enum FunctionStatistic { smallest_value, largest_value, mean_value, std_of_values };

/// The functions of a centre that the training data chose, with what their scaling needs.
struct FunctionSet {
  std::vector<SymmetryFunction> functions;
  Matrix statistics;  ///< [D, 4] by FunctionStatistic
};

/// x = (G − offset) factor
struct FunctionScaling {
  Vector offset, factor;
};

/// The side of a descriptor whose functions are chosen and scaled by training data. Before that it has an upper bound of its size, and
/// counts, but cannot be computed.
class ChosenFunctions {
 public:
  virtual ~ChosenFunctions() = default;

  virtual const FunctionSet* chosen() const = 0;  ///< null: not made yet
  /// Functions to choose from. `shortest_distance`: of two atoms in the training data, Å; automatic sets begin there unless the
  /// configuration names another distance. Throws InputError if there are none.
  virtual std::vector<SymmetryFunction> candidates(double shortest_distance) const = 0;
  /// Elements that an explicit list names, ascending.
  virtual std::vector<int> named_elements() const = 0;
  /// The scaling of the configuration for functions with these statistics; a function without range gets the factor 0.
  virtual FunctionScaling scaling(const Matrix& statistics) const = 0;
  /// G of these functions, without scaling.
  virtual std::shared_ptr<const Descriptor> unscaled(std::vector<SymmetryFunction> functions) const = 0;
  /// Throws InputError if shapes disagree, numbers are not finite, or a function has no range that its scaling needs.
  virtual std::shared_ptr<const Descriptor> with_functions(FunctionSet set) const = 0;
};

}  // namespace gapkit
