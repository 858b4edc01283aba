#pragma once

#include <gapkit.h>

#include <gapkit/predict/predictor.hpp>
#include <memory>

#include "support/support.hpp"
#include "support/toy_data.hpp"

namespace gapkit::test {

struct FreeModel {
  void operator()(gapkit_model* model) const { gapkit_free(model); }
};
using Handle = std::unique_ptr<gapkit_model, FreeModel>;

/// Saves a model to a file and opens it with the C interface.
Handle handle_of(const Model& model);

/// Models of each kind of term, for silicon and for two elements, some with a baseline.
const std::vector<ToyModel>& c_models();

/// Memory for all results of the C interface.
struct Results {
  explicit Results(int atoms);
  /// All pointers set, or all except those of error bars.
  gapkit_results all();
  gapkit_results mean();

  double energy = 0, energy_std = 0, energy_std_epistemic = 0, distance_ratio = 0;
  Vector atom_energies, atom_energies_std_epistemic;
  Positions forces, forces_std, forces_std_epistemic;
  Matrix3 virial, virial_std, virial_std_epistemic;
  std::vector<Matrix3> atom_virials;
};

gapkit_structure c_structure(const Structure& structure, std::array<int, 3>& pbc);
/// Throws an exception with the interface's message after an error.
void evaluate(const Handle& handle, const Structure& structure, const gapkit_results& results);

/// A structure as a molecular-dynamics program holds it: centres, and every image (or atom that is no centre) within `halo` of a centre as
/// a ghost. Neighbours up to list_cutoff, from a search over all pairs.
struct Ghosts {
  std::vector<int> centres, atomic_numbers, neighbors, owners;
  std::vector<int> original;  ///< of each atom: the atom of the structure
  Positions positions;
  std::vector<std::size_t> first;
  double list_cutoff = 0, halo = 0;

  /// `centres`: atoms of the structure. Atoms are put into a random order if `seed` is not 0, else centres come first. Images of atoms that
  /// are no centres have the owner −1.
  Ghosts(const Structure& structure, const std::vector<int>& centres, double list_cutoff, double halo, unsigned seed = 0);
  gapkit_environments view() const;
  int atoms() const { return static_cast<int>(original.size()); }
};

/// Adds the rows of all atoms to the rows of the structure's n atoms that they represent.
Positions folded(const Ghosts& ghosts, const Positions& rows, int n);

/// 0 … n−1
std::vector<int> all_atoms(int n);

}  // namespace gapkit::test
