// SPDX-License-Identifier: MIT
#include "pair_gapkit.h"

#include <atom.h>
#include <comm.h>
#include <error.h>
#include <force.h>
#include <memory.h>
#include <modify.h>
#include <neigh_list.h>
#include <neigh_request.h>
#include <neighbor.h>
#include <update.h>
#include <utils.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "compute_gapkit_std.h"
#include "element_symbols.h"
#include "environment.h"

namespace LAMMPS_NS {
namespace {

std::string names_of(const gapkit_model* model) {
  std::vector<int> known(static_cast<size_t>(gapkit_elements(model, nullptr, 0)));
  gapkit_elements(model, known.data(), static_cast<int>(known.size()));
  std::string names;
  for (const int z : known) names += (names.empty() ? "" : ", ") + symbol_of(z);
  return names;
}

// Later versions of LAMMPS have other names for these calls. The one that compiles is taken.
template <class List>
auto request_full_list(List* neighbor, Pair* pair, int, int) -> decltype(neighbor->add_request(pair)->enable_full()) {
  neighbor->add_request(pair)->enable_full();
}
template <class List>
void request_full_list(List* neighbor, Pair* pair, int instance, long) {
  const int request = neighbor->request(pair, instance);
  neighbor->requests[request]->half = 0;
  neighbor->requests[request]->full = 1;
}
template <class Communication>
auto sum_over_images(Communication* comm, Pair* pair, int) -> decltype(comm->reverse_comm(pair)) {
  comm->reverse_comm(pair);
}
template <class Communication>
void sum_over_images(Communication* comm, Pair* pair, long) {
  comm->reverse_comm_pair(pair);
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

}  // namespace

PairGapkit::PairGapkit(LAMMPS* lammps) : Pair(lammps) {
  single_enable = 0;
  restartinfo = 0;
  one_coeff = 1;
  manybody_flag = 1;
  no_virial_fdotr_compute = 1;  // the model gives the virial, also with newton off
  centroidstressflag = CENTROID_NOTAVAIL;
  comm_reverse_off = 3;
}

PairGapkit::~PairGapkit() {
  gapkit_free(model_);
  if (copymode) return;
  if (allocated) {
    memory->destroy(setflag);
    memory->destroy(cutsq);
  }
}

void PairGapkit::allocate() {
  const int n = atom->ntypes;
  memory->create(setflag, n + 1, n + 1, "pair:setflag");
  memory->create(cutsq, n + 1, n + 1, "pair:cutsq");
  for (int i = 0; i <= n; ++i)
    for (int j = 0; j <= n; ++j) setflag[i][j] = 0, cutsq[i][j] = 0;
  allocated = 1;
}

void PairGapkit::settings(int narg, char** arg) {
  is_difference_ = false;
  for (int i = 0; i < narg; ++i) {
    if (std::strcmp(arg[i], "difference") != 0)
      error->all(FLERR, "pair_style gapkit: unknown keyword '" + std::string(arg[i]) +
                            "'; valid: difference (the model gives the difference from another one, which LAMMPS adds)");
    is_difference_ = true;
  }
}

void PairGapkit::coeff(int narg, char** arg) {
  if (!allocated) allocate();
  if (narg < 3 || std::strcmp(arg[0], "*") != 0 || std::strcmp(arg[1], "*") != 0)
    error->all(FLERR,
               "pair_coeff of pair_style gapkit: expected '* *', the model, and one element or NULL for each atom type, for example "
               "'pair_coeff * * model.h5 Si O'");
  const int found = narg - 3;
  if (found != atom->ntypes)
    error->all(FLERR, "pair_coeff of pair_style gapkit: the system has " + std::to_string(atom->ntypes) + " atom types, but " +
                          std::to_string(found) + " elements follow the model: give one element or NULL for each type");
  load(arg[2]);
  take_elements(found, arg + 3);
}

// On every rank. A file that only some ranks can read is an error with the sentence of the first of them.
void PairGapkit::load(const std::string& path) {
  gapkit_free(model_);
  model_ = nullptr;
  is_announced_ = is_warned_ = false;
  forces_step_ = -1;
  path_ = path;
  const int code = gapkit_load(file_of_potential(path).c_str(), GAPKIT_INTERFACE, &model_);
  int mine = code != GAPKIT_OK ? comm->me : comm->nprocs, first = 0;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, world);
  if (first == comm->nprocs) return;
  char message[4096] = "";
  if (comm->me == first) std::strncpy(message, gapkit_error_message(), sizeof message - 1);
  MPI_Bcast(message, sizeof message, MPI_CHAR, first, world);
  error->all(FLERR, "pair_style gapkit: " + std::string(message));
}

void PairGapkit::take_elements(int narg, char** arg) {
  const int n_known = gapkit_elements(model_, nullptr, 0);
  std::vector<int> known(static_cast<size_t>(n_known));
  gapkit_elements(model_, known.data(), n_known);
  element_of_.assign(static_cast<size_t>(narg) + 1, 0);
  for (int t = 1; t <= narg; ++t) {
    const char* name = arg[t - 1];
    if (std::strcmp(name, "NULL") == 0) continue;
    const int z = atomic_number(name);
    if (z == 0)
      error->all(FLERR, "pair_coeff of pair_style gapkit: '" + std::string(name) + "' (atom type " + std::to_string(t) +
                            ") is no element; expected a symbol as 'Si', or NULL");
    if (std::find(known.begin(), known.end(), z) == known.end())
      error->all(FLERR, "pair_coeff of pair_style gapkit: atom type " + std::to_string(t) + " is " + name + ", but the model '" + path_ +
                            "' knows " + names_of(model_) + " only");
    element_of_[static_cast<size_t>(t)] = z;
  }
  const auto n_without = std::count(element_of_.begin() + 1, element_of_.end(), 0);
  if (n_without == narg) error->all(FLERR, "pair_coeff of pair_style gapkit: all atom types are NULL");
  if (n_without > 0 && force->pair == this)
    error->all(FLERR,
               "pair_coeff of pair_style gapkit: NULL leaves out the atoms of a type, which needs 'pair_style hybrid' or "
               "'hybrid/overlay' with another style for them");
  for (int i = 1; i <= narg; ++i)
    for (int j = i; j <= narg; ++j) setflag[i][j] = element_of_[static_cast<size_t>(i)] != 0 && element_of_[static_cast<size_t>(j)] != 0;
}

// Settings of LAMMPS that leave neighbours out would change energies without a message.
void PairGapkit::check_system() const {
  if (neighbor->nex_type + neighbor->nex_group + neighbor->nex_mol > 0)
    error->all(FLERR,
               "pair_style gapkit: neigh_modify exclude takes neighbours away from environments, which changes their energies; "
               "remove it (to hold atoms, use fix setforce)");
  if (neighbor->includegroup)
    error->all(FLERR,
               "pair_style gapkit: neigh_modify include takes neighbours away from environments, which changes their energies; "
               "remove it");
  if (atom->molecular != Atom::ATOMIC) {
    const auto is_excluded = [&](int k) { return force->special_lj[k] == 0 && force->special_coul[k] == 0; };
    if ((atom->nbonds > 0 && is_excluded(1)) || (atom->nangles > 0 && is_excluded(2)) || (atom->ndihedrals > 0 && is_excluded(3)))
      error->all(FLERR,
                 "pair_style gapkit: special_bonds takes bonded atoms away from environments, which changes their energies; write "
                 "'special_bonds lj/coul 1 1 1' (or any factors above 0: the model does not use them)");
  }
}

void PairGapkit::init_style() {
  if (std::strcmp(update->unit_style, "metal") == 0)
    energy_unit_ = 1;
  else if (std::strcmp(update->unit_style, "real") == 0)
    energy_unit_ = utils::get_conversion_factor(utils::ENERGY, utils::METAL2REAL);
  else
    error->all(FLERR, "pair_style gapkit needs 'units metal' or 'units real', found 'units " + std::string(update->unit_style) + "'");
  if (gapkit_has_base(model_) && !is_difference_)
    error->all(FLERR, "pair_style gapkit: the model '" + path_ + "' gives the difference from another one, " + gapkit_base(model_) +
                          ", and is no potential alone; if LAMMPS computes the other one too, write 'pair_style hybrid/overlay gapkit "
                          "difference ...' with it");
  if (is_difference_ && !gapkit_has_base(model_))
    error->all(FLERR, "pair_style gapkit difference: the model '" + path_ + "' is no difference from another one; leave out 'difference'");
  if (gapkit_set_difference(model_, is_difference_) != GAPKIT_OK) error->all(FLERR, gapkit_error_message());
  check_system();
  cutoff_ = gapkit_cutoff(model_);
  const int threads = thread_count(comm->nthreads);
  if (gapkit_set_threads(threads) != GAPKIT_OK) error->all(FLERR, gapkit_error_message());
  if (!is_announced_ && comm->me == 0)
    utils::logmesg(lmp, "gapkit " + std::string(gapkit_version()) + ": model '" + path_ + "' (" + names_of(model_) + "; cutoff " +
                            number(cutoff_) + " Angstrom; " + (gapkit_has_error_bars(model_) ? "with" : "without") +
                            " error bars), OpenMP threads of each rank: " + std::to_string(threads) +
                            (std::getenv("OMP_NUM_THREADS") == nullptr ? " (OMP_NUM_THREADS changes it)" : "") + "\n");
  is_announced_ = true;
  has_list_ = false;
  request_full_list(neighbor, this, instance_me, 0);
}

double PairGapkit::init_one(int i, int j) {
  if (setflag[i][j] == 0) error->all(FLERR, "pair_style gapkit: pair_coeff is missing, or a type is NULL without pair_style hybrid");
  return cutoff_;
}

void PairGapkit::init_list(int, NeighList* given) {
  list = given;
  has_list_ = false;
}

bool PairGapkit::is_current() const {
  return has_list_ && forces_step_ == update->ntimestep && place_.size() == static_cast<size_t>(atom->nlocal + atom->nghost);
}

void PairGapkit::update_list() {
  const int n_all = atom->nlocal + atom->nghost;
  if (has_list_ && neighbor->ago > 0 && list_step_ == neighbor->lastcall && list_call_ == neighbor->ncalls &&
      place_.size() == static_cast<size_t>(n_all))
    return;
  index_of_.clear();
  numbers_.clear();
  place_.assign(static_cast<size_t>(n_all), -1);
  for (int i = 0; i < n_all; ++i) {
    const int z = element_of_[static_cast<size_t>(atom->type[i])];
    if (z == 0) continue;
    place_[static_cast<size_t>(i)] = static_cast<int>(index_of_.size());
    index_of_.push_back(i);
    numbers_.push_back(z);
  }
  centres_.clear();
  neighbors_.clear();
  first_.assign(1, 0);
  for (int c = 0; c < list->inum; ++c) {
    const int i = list->ilist[c];
    centres_.push_back(place_[static_cast<size_t>(i)]);
    const int* listed = list->firstneigh[i];
    for (int k = 0; k < list->numneigh[i]; ++k) {
      const int j = place_[static_cast<size_t>(listed[k] & NEIGHMASK)];
      if (j >= 0) neighbors_.push_back(j);
    }
    first_.push_back(neighbors_.size());
  }
  has_list_ = true;
  list_step_ = neighbor->lastcall;
  list_call_ = neighbor->ncalls;
}

void PairGapkit::evaluate(gapkit_model* model, gapkit_results& results, double halo) {
  gapkit_environments environments = {};
  environments.size = sizeof environments;
  environments.n_centres = static_cast<int>(centres_.size());
  environments.n_atoms = static_cast<int>(index_of_.size());
  environments.centres = centres_.data();
  environments.atomic_numbers = numbers_.data();
  environments.positions = positions_.data();
  environments.first = first_.data();
  environments.neighbors = neighbors_.data();
  environments.list_cutoff = cutoff_;  // the list reaches the skin farther, and atoms have moved by half of it at most
  environments.halo = halo;
  results.size = sizeof results;
  if (gapkit_evaluate_environments(model, &environments, &results) != GAPKIT_OK)
    error->one(FLERR, "pair_style gapkit, step " + std::to_string(update->ntimestep) + ", rank " + std::to_string(comm->me) + ": " +
                          gapkit_error_message());
}

void PairGapkit::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  update_list();
  const size_t n = index_of_.size();
  positions_.resize(3 * n);
  for (size_t k = 0; k < n; ++k) std::copy_n(atom->x[index_of_[k]], 3, positions_.data() + 3 * k);
  forces_.resize(3 * n);
  double energy = 0, total_virial[9], distance_ratio = 0;
  gapkit_results results = {};
  results.energy = &energy;
  results.distance_ratio = &distance_ratio;
  results.forces = forces_.data();
  if (vflag_global) results.virial = total_virial;
  if (eflag_atom) {
    atom_energies_.resize(n);
    results.atom_energies = atom_energies_.data();
  }
  if (vflag_atom) {
    atom_virials_.resize(9 * n);
    results.atom_virials = atom_virials_.data();
  }
  const bool with_std = local_std_flag_ != 0 || is_wanted_with_forces(false), with_grades = is_wanted_with_forces(true);
  if (with_std) {
    local_std_of_rows_.resize(n);
    results.atom_energies_std_epistemic = local_std_of_rows_.data();
  }
  if (with_grades) {
    grades_of_rows_.resize(n);
    results.extrapolation = grades_of_rows_.data();
  }
  evaluate(model_, results, 0);
  forces_step_ = update->ntimestep;
  local_std_step_ = with_std ? forces_step_ : -1;
  grades_step_ = with_grades ? forces_step_ : -1;
  warn_if_close(distance_ratio);

  // LAMMPS's order is xx yy zz xy xz yz
  constexpr int component[6] = {0, 4, 8, 1, 2, 5};
  if (eflag_global) eng_vdwl += energy_unit_ * energy;
  if (vflag_global)
    for (int k = 0; k < 6; ++k) virial[k] += energy_unit_ * total_virial[component[k]];
  if (eflag_atom)
    for (const int c : centres_) eatom[index_of_[static_cast<size_t>(c)]] += energy_unit_ * atom_energies_[static_cast<size_t>(c)];
  if (vflag_atom)
    for (const int c : centres_)
      for (int k = 0; k < 6; ++k)
        vatom[index_of_[static_cast<size_t>(c)]][k] += energy_unit_ * atom_virials_[9 * static_cast<size_t>(c) + component[k]];
  if (local_std_flag_ != 0) {
    local_std_.assign(static_cast<size_t>(atom->nmax), 0);
    for (const int c : centres_)
      local_std_[static_cast<size_t>(index_of_[static_cast<size_t>(c)])] = energy_unit_ * local_std_of_rows_[static_cast<size_t>(c)];
  }
  add_forces();
}

// Once. Such atoms are no structure: a potential without a strong repulsion has collapsed, or the input is wrong.
void PairGapkit::warn_if_close(double distance_ratio) {
  constexpr double smallest_ratio = 0.5;
  if (is_warned_ || distance_ratio >= smallest_ratio) return;
  is_warned_ = true;
  error->warning(FLERR, "pair_style gapkit, step " + std::to_string(update->ntimestep) + ", rank " + std::to_string(comm->me) +
                            ": two atoms are at " + number(distance_ratio) +
                            " of the shortest distance of their elements in the training data; the model knows nothing about such "
                            "structures (no further warning of this rank)");
}

bool PairGapkit::is_wanted_with_forces(bool is_of_grades) {
  bool is_wanted = false;
  for (int i = 0; i < modify->ncompute; ++i)
    if (auto* compute = dynamic_cast<ComputeGapkitStd*>(modify->compute[i])) is_wanted |= compute->is_due_with_forces(this, is_of_grades);
  return is_wanted;
}

// Forces on ghosts: with newton on LAMMPS adds them to the atoms themselves.
void PairGapkit::add_forces() {
  const size_t n = index_of_.size();
  double** f = atom->f;
  if (force->newton_pair) {
    for (size_t k = 0; k < n; ++k)
      for (int d = 0; d < 3; ++d) f[index_of_[k]][d] += energy_unit_ * forces_[3 * k + d];
    return;
  }
  reverse_.assign(3 * place_.size(), 0);
  for (size_t k = 0; k < n; ++k)
    for (int d = 0; d < 3; ++d) reverse_[3 * static_cast<size_t>(index_of_[k]) + d] = energy_unit_ * forces_[3 * k + d];
  sum_over_images(comm, this, 0);
  for (int i = 0; i < atom->nlocal; ++i)
    for (int d = 0; d < 3; ++d) f[i][d] += reverse_[3 * static_cast<size_t>(i) + d];
}

int PairGapkit::pack_reverse_comm(int n, int first, double* buffer) {
  std::copy_n(reverse_.data() + 3 * static_cast<size_t>(first), 3 * static_cast<size_t>(n), buffer);
  return 3 * n;
}

void PairGapkit::unpack_reverse_comm(int n, int* atoms, double* buffer) {
  for (int k = 0; k < n; ++k)
    for (int d = 0; d < 3; ++d) reverse_[3 * static_cast<size_t>(atoms[k]) + d] += buffer[3 * k + d];
}

// The names that `fix pair` uses: it sets the flag before the steps in which it wants the values.
void* PairGapkit::extract(const char* name, int& dimension) {
  dimension = 0;
  if (std::strcmp(name, "cutoff") == 0) return &cutoff_;
  if (std::strcmp(name, "local_std_flag") == 0) return &local_std_flag_;
  return nullptr;
}

void* PairGapkit::extract_peratom(const char* name, int& columns) {
  columns = 0;
  return std::strcmp(name, "local_std") == 0 ? local_std_.data() : nullptr;
}

double PairGapkit::memory_usage() {
  const auto bytes = [](const auto& v) { return static_cast<double>(v.capacity() * sizeof v[0]); };
  return Pair::memory_usage() + bytes(index_of_) + bytes(place_) + bytes(numbers_) + bytes(centres_) + bytes(neighbors_) + bytes(first_) +
         bytes(positions_) + bytes(forces_) + bytes(atom_energies_) + bytes(atom_virials_) + bytes(reverse_) + bytes(local_std_) +
         bytes(local_std_of_rows_) + bytes(grades_of_rows_);
}

}  // namespace LAMMPS_NS
