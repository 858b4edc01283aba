// SPDX-License-Identifier: MIT
// This file has gapkit's licence (MIT). It includes headers of LAMMPS, which has the GNU General Public License version 2: a binary made
// from both may be passed on under the GPL only.
//
// pair_style gapkit: potentials of gapkit in LAMMPS, by gapkit's C interface (docs/lammps.md).
#pragma once

#include <gapkit.h>
#include <pair.h>

#include <string>
#include <vector>

namespace LAMMPS_NS {

class PairGapkit : public Pair {
 public:
  explicit PairGapkit(LAMMPS* lmp);
  ~PairGapkit() override;
  PairGapkit(const PairGapkit&) = delete;
  PairGapkit& operator=(const PairGapkit&) = delete;

  void compute(int eflag, int vflag) override;
  void settings(int narg, char** arg) override;
  void coeff(int narg, char** arg) override;
  void init_style() override;
  double init_one(int i, int j) override;
  void init_list(int id, NeighList* list) override;
  void* extract(const char* name, int& dimension) override;
  // Overrides a function of later versions of LAMMPS.
  void* extract_peratom(const char* name, int& columns);
  int pack_reverse_comm(int n, int first, double* buffer) override;
  void unpack_reverse_comm(int n, int* atoms, double* buffer) override;
  double memory_usage() override;

  // For compute gapkit/std. Energies and lengths below are in eV and Å.

  gapkit_model* model() const { return model_; }
  const std::string& path() const { return path_; }
  // The unit of energy of LAMMPS in eV⁻¹.
  double energy_unit() const { return energy_unit_; }
  // Whether forces were computed in this step, for these atoms.
  bool is_current() const;
  // Results at the positions of the last forces (a fix may have moved the atoms since, as fix deform does), for the atoms whose type has
  // an element: row k belongs to LAMMPS's atom index_of()[k]. Stops LAMMPS with a sentence if gapkit fails.
  void evaluate(gapkit_model* model, gapkit_results& results, double halo);
  const std::vector<int>& index_of() const { return index_of_; }
  // Whether the error bars of the atoms' energies were computed with the present forces, and they, for each row.
  bool has_local_std() const { return local_std_step_ == forces_step_ && is_current(); }
  const std::vector<double>& local_std() const { return local_std_of_rows_; }
  // The same for the extrapolation grades of the atoms.
  bool has_grades() const { return grades_step_ == forces_step_ && is_current(); }
  const std::vector<double>& grades() const { return grades_of_rows_; }

 private:
  void allocate();
  void load(const std::string& path);
  void take_elements(int narg, char** arg);
  void check_system() const;
  void update_list();
  bool is_wanted_with_forces(bool is_of_grades);
  void add_forces();
  void warn_if_close(double distance_ratio);

  gapkit_model* model_ = nullptr;
  std::string path_;  // of the model, as given
  double energy_unit_ = 1;
  double cutoff_ = 0;            // Å
  bool is_difference_ = false;   // LAMMPS adds the other model
  bool is_announced_ = false;    // the line about the model was written
  bool is_warned_ = false;       // about atoms that are too close
  std::vector<int> element_of_;  // atomic number of each type, from 1; 0: NULL

  // The list of LAMMPS as gapkit takes it, kept until LAMMPS builds another one.
  bool has_list_ = false;
  bigint list_step_ = -1, list_call_ = -1, forces_step_ = -1;
  std::vector<int> index_of_, place_;  // LAMMPS's atom of each row, and the row of each of LAMMPS's atoms (−1: no element)
  std::vector<int> numbers_, centres_, neighbors_;
  std::vector<size_t> first_;
  std::vector<double> positions_;  // of the last forces

  // Error bars of the atoms' energies, computed with the forces in some steps
  int local_std_flag_ = 0;  // fix pair asks for them
  bigint local_std_step_ = -1;
  std::vector<double> local_std_of_rows_, local_std_;  // eV, by row; LAMMPS's unit and order, for fix pair

  // Extrapolation grades, likewise
  bigint grades_step_ = -1;
  std::vector<double> grades_of_rows_;

  std::vector<double> forces_, atom_energies_, atom_virials_;
  std::vector<double> reverse_;  // forces of all atoms, for the communication of newton off
};

}  // namespace LAMMPS_NS
