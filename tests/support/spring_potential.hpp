#pragma once

#include <gapkit/potentials/potential.hpp>

namespace gapkit::test {

/// Only a structure-level part: springs between all pairs of atoms, without images, E = k/2 Σ_{i<j} |r_i − r_j|², half for each atom.
/// No cutoff includes all pairs, so environments cannot give this energy.
class SpringPotential final : public Potential {
 public:
  explicit SpringPotential(double stiffness) : stiffness_(stiffness) {}

  std::string name() const override { return "springs"; }
  double cutoff() const override { return 0; }
  void add(const Environments&, std::span<double>, std::span<Vector3>) const override {}
  bool needs_structure() const override { return true; }

  void add_structure(const Structure& structure, const StructureSums& sums) const override {
    for (int i = 0; i < structure.size(); ++i)
      for (int j = 0; j < i; ++j) {
        const Vector3 r = (structure.positions.row(j) - structure.positions.row(i)).transpose();
        const double energy = 0.5 * stiffness_ * r.squaredNorm();
        sums.local_energy[static_cast<std::size_t>(i)] += 0.5 * energy;
        sums.local_energy[static_cast<std::size_t>(j)] += 0.5 * energy;
        if (sums.forces == nullptr) continue;
        const Vector3 slope = stiffness_ * r;
        sums.forces->row(i) += slope.transpose();
        sums.forces->row(j) -= slope.transpose();
        *sums.virial -= slope * r.transpose();
      }
  }

 private:
  double stiffness_;  // eV/Å²
};

}  // namespace gapkit::test
