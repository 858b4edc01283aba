/* C interface of gapkit: potentials with error bars in programs written in any language that calls C (C99; docs/c-interface.md).
 *
 * Units: Å, eV, eV/Å. Arrays are row-major and belong to the caller; atoms are counted from 0. Matrices of 3 × 3 have 9 numbers: xx xy xz
 * yx yy yz zx zy zz.
 *
 * A function that can fail returns GAPKIT_OK (0) or an error code; gapkit_error_message() then returns one sentence. After an error no
 * result has been written, and the model is unchanged. The library throws no exceptions to the caller, prints nothing and never exits.
 *
 * Models are independent of each other. Calls on one model may come from several threads; they run one after the other. For evaluations
 * at the same time each thread takes a model of its own from gapkit_share(). Inside, the library uses OpenMP threads. */
#ifndef GAPKIT_H
#define GAPKIT_H

#include <stddef.h>

#if defined(__GNUC__)
#define GAPKIT_EXPORT __attribute__((visibility("default")))
#else
#define GAPKIT_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this interface. It increases when programs must be recompiled. New members at the end of structures do not increase it. */
#define GAPKIT_INTERFACE 1

enum {
  GAPKIT_OK = 0,
  GAPKIT_ERROR_INTERNAL = 1,  /* a bug of the library */
  GAPKIT_ERROR_INPUT = 2,     /* an argument is wrong: a null pointer, a position that is not finite, an index out of range, … */
  GAPKIT_ERROR_NUMERICAL = 3, /* a result is not finite: for example, two atoms at the same place */
  GAPKIT_ERROR_MEMORY = 4,
  GAPKIT_ERROR_FILE = 5,         /* the model's file cannot be read, or is not a model */
  GAPKIT_ERROR_VERSION = 6,      /* the program was compiled for another version of this interface */
  GAPKIT_ERROR_ELEMENT = 7,      /* an element that the model does not know */
  GAPKIT_ERROR_NEIGHBORS = 8,    /* the neighbour list or the halo of atoms is too short, or the list is not full */
  GAPKIT_ERROR_ERROR_BARS = 9,   /* the model has no posterior, so no error bars */
  GAPKIT_ERROR_UNSUPPORTED = 10, /* the model has a part that needs the whole cell: gapkit_evaluate() only */
  GAPKIT_ERROR_BASE = 11         /* the model gives the difference from another model: gapkit_set_difference() */
};

/* A model prepared for evaluation, with its scratch memory. */
typedef struct gapkit_model gapkit_model;

/* A molecule or crystal. */
typedef struct gapkit_structure {
  size_t size; /* sizeof(gapkit_structure) */
  int n_atoms;
  const int* atomic_numbers; /* [n_atoms] */
  const double* positions;   /* [n_atoms][3], Å; may lie outside the cell */
  const double* cell;        /* [3][3], Å, rows are the cell vectors; NULL: none */
  const int* pbc;            /* [3], not 0: periodic along this cell vector; NULL: in all directions if there is a cell, else in none */
} gapkit_structure;

/* Centres with their neighbours, in the form of molecular-dynamics programs. Periodic images and atoms of other processes are separate
 * atoms (ghosts). */
typedef struct gapkit_environments {
  size_t size;               /* sizeof(gapkit_environments) */
  int n_centres;             /* atoms of this process, whose energy is computed */
  int n_atoms;               /* centres and ghosts */
  const int* centres;        /* [n_centres], indices of the centres; NULL: they are atoms 0 … n_centres−1 */
  const int* atomic_numbers; /* [n_atoms] */
  const double* positions;   /* [n_atoms][3], Å */
  const size_t* first;       /* [n_centres + 1]: the neighbours of centre c are neighbors[first[c]] … neighbors[first[c + 1] − 1] */
  const int* neighbors;      /* indices of atoms. A full list: both ends list a pair of centres. Without the centre itself */
  double list_cutoff;        /* Å: all atoms up to this distance are listed; at least gapkit_cutoff(). Farther atoms are ignored */
  /* The following two are for error bars of forces only. One of them suffices. */
  const int* owners; /* [n_atoms]: the centre that an atom is an image of, itself for a centre, −1 if it is an atom of another process;
                        NULL: unknown. Suffices if no owner is −1 */
  double halo;       /* Å: all atoms up to this distance from any centre are among the atoms, listed or not; 0: unknown. Suffices from
                        2 gapkit_cutoff() on */
} gapkit_environments;

/* Memory for results; NULL: not wanted. Only wanted results are computed: forces and virials cost a few times the energy, error bars
 * more (docs/c-interface.md). "Atoms" are all n_atoms, ghosts included; arrays by atom are overwritten completely.
 *
 * …_std is the error to expect against a new reference value (as in gap-predict: noise of the training data, and calibration),
 * …_std_epistemic the part that more data would remove. */
typedef struct gapkit_results {
  size_t size;           /* sizeof(gapkit_results) */
  double* energy;        /* [1], eV: of the structure, or of the centres */
  double* atom_energies; /* [n_atoms], eV: each centre has its whole share, ghosts have 0; their sum is the energy */
  double* forces;        /* [n_atoms][3], eV/Å: −dE/dr. Add forces on ghosts to the atoms that the ghosts represent */
  double* virial;        /* [3][3], eV: −dE/dstrain, symmetric. The stress is −virial/volume */
  double* atom_virials;  /* [n_atoms][3][3], eV: −Σ_j dE_i/dr_ij ⊗ r_ij with the share E_i of a centre, symmetric; ghosts have 0 */
  double* energy_std;    /* [1], eV */
  double* forces_std;    /* [n_atoms][3], eV/Å; ghosts have 0 */
  double* virial_std;    /* [3][3], eV */
  double* energy_std_epistemic;
  double* forces_std_epistemic;
  double* virial_std_epistemic;
  double* atom_energies_std_epistemic; /* [n_atoms], eV; ghosts have 0 */
  double* distance_ratio; /* [1]: smallest ratio of a distance to the shortest one of these elements in training; below 1 the model
                             extrapolates. Infinity: unknown */
  double* extrapolation;  /* [n_atoms]: extrapolation grade of each centre, above 1 it is unlike the training data; ghosts have 0. At the
                             cost of atom_energies_std_epistemic, and with it at no cost */
} gapkit_results;

/* Version of the library, "0.1.0", and of its interface (GAPKIT_INTERFACE when it was compiled). */
GAPKIT_EXPORT const char* gapkit_version(void);
GAPKIT_EXPORT int gapkit_interface(void);

/* Message of the last failed call of this thread: one sentence, UTF-8; "" if no call has failed. Valid until the next failed call. */
GAPKIT_EXPORT const char* gapkit_error_message(void);

/* Loads a model of gap-fit (HDF5) or a GAP potential of QUIP (XML). interface_version: GAPKIT_INTERFACE. *model is NULL after an error. */
GAPKIT_EXPORT int gapkit_load(const char* path, int interface_version, gapkit_model** model);
/* Another handle of the same model with scratch memory and settings of its own, for another thread. The data are shared. */
GAPKIT_EXPORT int gapkit_share(const gapkit_model* model, gapkit_model** another);
/* NULL is allowed. No other call on the model may be running. */
GAPKIT_EXPORT void gapkit_free(gapkit_model* model);

/* Å: atoms beyond this distance have no influence on an atom's energy. 0 if the model is NULL. */
GAPKIT_EXPORT double gapkit_cutoff(const gapkit_model* model);
/* Number of elements that the model knows; up to `capacity` of their atomic numbers are written to `atomic_numbers` (may be NULL),
 * ascending. */
GAPKIT_EXPORT int gapkit_elements(const gapkit_model* model, int* atomic_numbers, int capacity);
/* 1 if the model can give error bars, else 0. */
GAPKIT_EXPORT int gapkit_has_error_bars(const gapkit_model* model);
/* 1 if the model can give extrapolation grades, at least of some elements, else 0: it is of an early version, or it was not calibrated by
 * leaving structures out. */
GAPKIT_EXPORT int gapkit_has_extrapolation(const gapkit_model* model);

/* 1 if the model was fitted on top of another one (xTB, a force field, …) and gives the difference from it, else 0. */
GAPKIT_EXPORT int gapkit_has_base(const gapkit_model* model);
/* Name of that other model and of its values: "GFN2-xTB (energy 'xtb_energy', forces 'xtb_forces')". "" if there is none. Valid as long as
 * the model. */
GAPKIT_EXPORT const char* gapkit_base(const gapkit_model* model);

/* Not 0: the caller adds the values of the other model itself, and wants the difference (default: 0). Without it, a model with
 * gapkit_has_base() gives GAPKIT_ERROR_BASE, as its numbers alone are no energies and forces. Error bars are those of the sum. */
GAPKIT_EXPORT int gapkit_set_difference(gapkit_model* model, int is_wanted);
/* Skin of the neighbour list of gapkit_evaluate() beyond the cutoff, Å (default: 0.5). The list is reused while the atoms move less than
 * about half of the skin. Does not change results. 0: a new list for each call; at most 10. */
GAPKIT_EXPORT int gapkit_set_skin(gapkit_model* model, double skin);
/* Error bars from the first `points` sparse points only: faster in proportion (docs/accuracy.md). 0: all (default). More points than the
 * model has are an error. Numbers without a calibration of their own give uncalibrated error bars of forces. */
GAPKIT_EXPORT int gapkit_set_error_bar_points(gapkit_model* model, int points);
/* The number of points, below all, for which the model has calibrated error bars of forces, for molecular dynamics; 0: only for all. */
GAPKIT_EXPORT int gapkit_quick_points(const gapkit_model* model);
/* Whether error bars …_std use the model's calibration, if it has one (default: 1). */
GAPKIT_EXPORT int gapkit_set_calibration(gapkit_model* model, int is_used);
/* OpenMP threads of the calls that come from this thread (default: OMP_NUM_THREADS, else the number of cores). */
GAPKIT_EXPORT int gapkit_set_threads(int threads);

/* Energy and other results of a structure. The library finds the neighbours and reuses them in the next call if possible. */
GAPKIT_EXPORT int gapkit_evaluate(gapkit_model* model, const gapkit_structure* structure, const gapkit_results* results);
/* Energy and other results of centres with given neighbours. n_centres may be 0. */
GAPKIT_EXPORT int gapkit_evaluate_environments(gapkit_model* model, const gapkit_environments* environments, const gapkit_results* results);

/* Precision of gapkit_set_precision() */
typedef enum {
  GAPKIT_DOUBLE = 0, /* default */
  GAPKIT_SINGLE = 1  /* descriptors in single precision: faster, errors of forces below 1e-4 eV/Å (docs/accuracy.md) */
} gapkit_precision;
/* Precision of energies, forces and virials. Calls that request an error bar use double precision. */
GAPKIT_EXPORT int gapkit_set_precision(gapkit_model* model, int precision);

#ifdef __cplusplus
}
#endif

#endif
