// SPDX-License-Identifier: MIT
// This file has gapkit's licence (MIT). It includes headers of LAMMPS (GPL version 2): see pair_gapkit.h.
//
// compute gapkit/std: error bars and extrapolation grades of pair_style gapkit (docs/lammps.md).
#pragma once

#include <compute.h>
#include <gapkit.h>

#include <string>
#include <vector>

namespace LAMMPS_NS {

class PairGapkit;

class ComputeGapkitStd : public Compute {
 public:
  ComputeGapkitStd(LAMMPS* lmp, int narg, char** arg);
  ~ComputeGapkitStd() override;
  ComputeGapkitStd(const ComputeGapkitStd&) = delete;
  ComputeGapkitStd& operator=(const ComputeGapkitStd&) = delete;

  void init() override;
  double compute_scalar() override;
  void compute_peratom() override;
  double memory_usage() override;

  // Whether this compute asks for the error bars of the atoms' energies of this pair style in this step, or for the grades of the atoms:
  // then they are cheaper with the forces.
  bool is_due_with_forces(const PairGapkit* pair, bool is_of_grades);

 private:
  PairGapkit* find_pair() const;
  void evaluate();
  void widen_halo();
  void choose_points();
  void grow();

  bool is_force_ = false;      // error bars of forces, else of the energies of atoms
  bool is_grade_ = false;      // extrapolation grades of atoms
  bool is_epistemic_ = false;  // of forces: without noise and calibration
  int given_points_ = -1;      // 0: all; −1: all for energies of atoms, the calibrated ones of fewer points for forces
  int points_ = 0, instance_ = 0;
  PairGapkit* pair_ = nullptr;
  // For fewer points another handle of the pair style's model, with this setting
  const gapkit_model* shared_ = nullptr;
  gapkit_model* of_few_points_ = nullptr;
  int n_rows_ = 0;  // allocated atoms
  std::vector<double> std_;
};

}  // namespace LAMMPS_NS
