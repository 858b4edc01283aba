#pragma once

#include <gapkit.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model_files.hpp"
#include "side_file.hpp"

namespace KIM {
class ModelComputeArguments;
}

namespace gapkit_kim {

/// A portable model in the memory of a simulator.
class Model {
 public:
  /// Units of the simulator in those of gapkit: lengths per Å, energies per eV. Throws Failure.
  Model(const ModelFiles& files, double length_unit, double energy_unit);

  /// Cutoff of the neighbour list, and distance up to which atoms of other processes are needed; in the simulator's unit.
  const double* cutoff() const { return &cutoff_; }
  const double* influence_distance() const { return &influence_distance_; }

  /// Fills the results that the simulator asks for. Throws Failure.
  void compute(const KIM::ModelComputeArguments& arguments);

 private:
  struct Free {
    void operator()(gapkit_model* model) const { gapkit_free(model); }
  };
  struct Wanted;  // the simulator's arrays
  gapkit_environments environments(const KIM::ModelComputeArguments& arguments);
  void write_side_file(const gapkit_environments& atoms);
  void convert(const Wanted& wanted, int atoms) const;

  std::unique_ptr<gapkit_model, Free> model_;
  double length_unit_, energy_unit_;
  double cutoff_ = 0, influence_distance_ = 0;
  std::vector<std::string> symbols_;  // by atomic number
  std::optional<SideFile> side_file_;
  std::mutex mutex_;
  // Scratch memory
  std::vector<int> centres_, neighbors_;
  std::vector<std::size_t> first_;
  std::vector<double> positions_, virial_, atom_virials_;
};

}  // namespace gapkit_kim
