#pragma once

#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/io/checksum.hpp>
#include <set>

#include "fit/row_targets.hpp"

namespace gapkit {

/// Facts on training frames that the plan of their fit needs; collected frame by frame, in the order of the data. They hold for all options
/// with the same descriptors and targets.
class TrainingFacts {
 public:
  /// The options must outlive the object. Throws InputError for a σ that is not above 0.
  explicit TrainingFacts(const FitOptions& options);

  /// Å, the largest of the terms: for the environments that add() takes.
  double cutoff() const { return cutoff_; }
  /// Throws InputError naming the frame for a σ that is not above 0, or for a second isolated atom with another energy.
  void add(const Structure& frame, const StructureEnvironments& environments);

  std::int64_t frames = 0, atoms = 0, pairs = 0;
  std::map<std::string, std::int64_t> config_types;  ///< frames of each
  std::vector<FitPlan::GroupPlan> groups;
  std::map<int, std::int64_t> atoms_of;  ///< by element
  /// Environments of one combination of a term.
  struct Counted {
    std::shared_ptr<const Descriptor> descriptor;  ///< with the elements of the combination only
    EnvironmentCount sum;
  };
  std::vector<std::map<std::vector<int>, Counted>> environments;                 ///< per term, by combination
  std::map<int, std::pair<double, std::string>> isolated;                        ///< energy, and its frame
  std::map<std::map<int, int>, std::pair<double, std::int64_t>> by_composition;  ///< sum of energies, frames
  Checksum checksum;
  ShortestDistances shortest_distances;  ///< in the frames with rows

 private:
  void add_energies(const Structure& frame, const NeighborList& list, const std::map<int, int>& composition);
  void add_isolated_atom(const Structure& frame);
  void add_energy(const Structure& frame, const std::map<int, int>& composition);

  const FitOptions& options_;
  Regularization regularization_;
  double cutoff_ = 0;
};

}  // namespace gapkit
