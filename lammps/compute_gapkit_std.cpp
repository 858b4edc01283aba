// SPDX-License-Identifier: MIT
#include "compute_gapkit_std.h"

#include <atom.h>
#include <comm.h>
#include <error.h>
#include <force.h>
#include <memory.h>
#include <neighbor.h>
#include <update.h>
#include <utils.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "pair_gapkit.h"

namespace LAMMPS_NS {

ComputeGapkitStd::ComputeGapkitStd(LAMMPS* lammps, int narg, char** arg) : Compute(lammps, narg, arg) {
  bool is_local = false;
  for (int i = 3; i < narg; ++i) {
    const std::string word = arg[i];
    const bool has_value = word == "points" || word == "instance";
    if (has_value && i + 1 == narg) error->all(FLERR, "compute gapkit/std: a number must follow '" + word + "'");
    if (word == "force")
      is_force_ = true;
    else if (word == "epistemic")
      is_epistemic_ = true;
    else if (word == "points")
      given_points_ = std::strcmp(arg[++i], "all") == 0 ? 0 : utils::inumeric(FLERR, arg[i], false, lmp);
    else if (word == "instance")
      instance_ = utils::inumeric(FLERR, arg[++i], false, lmp);
    else if (word == "local")
      is_local = true;
    else if (word == "extrapolation")
      is_grade_ = true;
    else
      error->all(FLERR, "compute gapkit/std: unknown keyword '" + word +
                            "'; valid: local, force, extrapolation, epistemic, points N or all, instance N");
  }
  if (is_grade_ && (is_local || is_force_)) error->all(FLERR, "compute gapkit/std: 'extrapolation' and error bars need a compute each");
  if (is_grade_ && (is_epistemic_ || given_points_ >= 0))
    error->all(FLERR, "compute gapkit/std: 'extrapolation' has one form, of all points: leave 'epistemic' and 'points' out");
  if (is_local && is_force_) error->all(FLERR, "compute gapkit/std: 'local' and 'force' need a compute each");
  if (given_points_ < -1 || instance_ < 0) error->all(FLERR, "compute gapkit/std: points and instance must not be negative");
  scalar_flag = 1;
  extscalar = 0;
  peratom_flag = 1;
  size_peratom_cols = is_force_ ? 3 : 0;
  timeflag = 1;  // LAMMPS says in advance in which steps it is wanted
}

ComputeGapkitStd::~ComputeGapkitStd() {
  gapkit_free(of_few_points_);
  if (copymode) return;
  memory->destroy(vector_atom);
  memory->destroy(array_atom);
}

PairGapkit* ComputeGapkitStd::find_pair() const {
  auto* found = dynamic_cast<PairGapkit*>(force->pair_match("gapkit", 1, instance_));
  const bool is_alone = found != nullptr && found == force->pair;
  if (found == nullptr || (is_alone && instance_ > 1))
    error->all(FLERR, "compute gapkit/std: there is no pair_style gapkit" +
                          std::string(instance_ > 0 ? " number " + std::to_string(instance_)
                                                    : ", or several in pair_style hybrid: add 'instance N' for the N-th of them"));
  return found;
}

void ComputeGapkitStd::init() {
  pair_ = find_pair();
  if (!gapkit_has_error_bars(pair_->model()))
    error->all(FLERR, "compute gapkit/std: the model '" + pair_->path() +
                          "' has no posterior, so it has no error bars; a fit with gap-fit gives them");
  if (is_grade_ && !gapkit_has_extrapolation(pair_->model()))
    error->all(FLERR, "compute gapkit/std: the model '" + pair_->path() +
                          "' has no extrapolation thresholds: it is of an early version, or it was not calibrated by leaving structures "
                          "out; a fit with gap-fit gives them");
  if (shared_ != pair_->model()) {
    gapkit_free(of_few_points_);
    of_few_points_ = nullptr;
    shared_ = pair_->model();
    choose_points();
    if (points_ > 0 &&
        (gapkit_share(shared_, &of_few_points_) != GAPKIT_OK || gapkit_set_error_bar_points(of_few_points_, points_) != GAPKIT_OK))
      error->one(FLERR, "compute gapkit/std: " + std::string(gapkit_error_message()));
  }
  if (is_force_) widen_halo();
}

void ComputeGapkitStd::choose_points() {
  const int quick = gapkit_quick_points(shared_);
  points_ = given_points_ >= 0 ? given_points_ : is_force_ ? quick : 0;
  if (comm->me != 0 || points_ == 0 || !is_force_) return;
  if (given_points_ < 0)
    utils::logmesg(lmp, "compute gapkit/std force: error bars of the first " + std::to_string(points_) +
                            " sparse points, for which they are calibrated ('points all' takes all)\n");
  else if (points_ != quick)
    utils::logmesg(lmp, "compute gapkit/std force: error bars of " + std::to_string(points_) + " sparse points are uncalibrated; " +
                            (quick > 0 ? "those of " + std::to_string(quick) + " and of all are calibrated, if the model is\n"
                                       : "those of all are calibrated, if the model is\n"));
}

// Error bars of a force need all environments that contain the atom, so all atoms up to twice the cutoff. Atoms move by half of the skin
// at most until LAMMPS renews the ghosts.
void ComputeGapkitStd::widen_halo() {
  const double expected = 2 * gapkit_cutoff(pair_->model()) + neighbor->skin;
  if (comm->mode != Comm::SINGLE)
    error->all(FLERR, "compute gapkit/std force needs 'comm_modify mode single', so that ghost atoms reach the same distance everywhere");
  if (comm->cutghostuser >= expected) return;
  if (comm->me == 0)
    utils::logmesg(lmp, "compute gapkit/std force: ghost atoms reach " + std::to_string(expected) +
                            " Angstrom (twice the model's cutoff, and the skin), as with 'comm_modify cutoff'\n");
  comm->cutghostuser = expected;
}

void ComputeGapkitStd::grow() {
  if (atom->nmax <= n_rows_) return;
  n_rows_ = atom->nmax;
  if (is_force_) {
    memory->destroy(array_atom);
    memory->create(array_atom, n_rows_, 3, "gapkit/std:array_atom");
  } else {
    memory->destroy(vector_atom);
    memory->create(vector_atom, n_rows_, "gapkit/std:vector_atom");
  }
}

bool ComputeGapkitStd::is_due_with_forces(const PairGapkit* pair, bool is_of_grades) {
  return !is_force_ && is_grade_ == is_of_grades && points_ == 0 && pair_ == pair && matchstep(update->ntimestep) != 0;
}

// std_: of the rows of the pair style, eV, eV/Å, or grades.
void ComputeGapkitStd::evaluate() {
  if (is_grade_ && pair_->has_grades()) {
    std_ = pair_->grades();
    return;
  }
  if (!is_force_ && !is_grade_ && points_ == 0 && pair_->has_local_std()) {
    std_ = pair_->local_std();
    return;
  }
  std_.resize((is_force_ ? 3 : 1) * pair_->index_of().size());
  gapkit_results results = {};
  double*& wanted = is_grade_       ? results.extrapolation
                    : !is_force_    ? results.atom_energies_std_epistemic
                    : is_epistemic_ ? results.forces_std_epistemic
                                    : results.forces_std;
  wanted = std_.data();
  pair_->evaluate(points_ > 0 ? of_few_points_ : pair_->model(), results, is_force_ ? comm->get_comm_cutoff() - neighbor->skin : 0);
}

void ComputeGapkitStd::compute_peratom() {
  invoked_peratom = update->ntimestep;
  // A program that uses LAMMPS as a library can ask at any time, also after another pair_style.
  if (find_pair() != pair_ || !pair_->is_current())
    error->all(FLERR, "compute gapkit/std: there are no forces of this step for these atoms and this pair style; run first ('run 0')");
  grow();
  const size_t columns = is_force_ ? 3 : 1;
  const double unit = is_grade_ ? 1 : pair_->energy_unit();
  const std::vector<int>& index_of = pair_->index_of();
  evaluate();
  double* rows = is_force_ ? (n_rows_ > 0 ? array_atom[0] : nullptr) : vector_atom;
  std::fill_n(rows, columns * static_cast<size_t>(atom->nlocal), 0.0);
  for (size_t k = 0; k < index_of.size(); ++k) {
    const auto i = static_cast<size_t>(index_of[k]);
    if (i >= static_cast<size_t>(atom->nlocal) || !(atom->mask[i] & groupbit)) continue;
    for (size_t d = 0; d < columns; ++d) rows[columns * i + d] = unit * std_[columns * k + d];
  }
}

// The largest of all values.
double ComputeGapkitStd::compute_scalar() {
  if (invoked_peratom != update->ntimestep) compute_peratom();
  invoked_scalar = update->ntimestep;
  const double* rows = is_force_ ? (n_rows_ > 0 ? array_atom[0] : nullptr) : vector_atom;
  double mine = 0;
  for (size_t k = 0; k < (is_force_ ? 3 : 1) * static_cast<size_t>(atom->nlocal); ++k) mine = std::max(mine, rows[k]);
  MPI_Allreduce(&mine, &scalar, 1, MPI_DOUBLE, MPI_MAX, world);
  return scalar;
}

double ComputeGapkitStd::memory_usage() {
  return static_cast<double>((is_force_ ? 3 : 1) * n_rows_ + std_.capacity()) * sizeof(double);
}

}  // namespace LAMMPS_NS
