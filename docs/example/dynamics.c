/* Molecular dynamics of a silicon crystal with error bars, in C. At the end it evaluates the same atoms in the form of a
 * molecular-dynamics program, with ghosts.
 *
 *     dynamics silicon.h5 [steps] */

#include <gapkit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { n = 8, most_ghosts = 4000, most_neighbors = 20000 };

static const double lattice = 5.43;             /* Å */
static const double mass = 28.085 * 103.642696; /* eV fs²/Å² */
static const double timestep = 1.0;             /* fs */
static const double spread = 0.0015;            /* Å/fs: velocities at the start, about 300 K */

static void check(int code) {
  if (code == GAPKIT_OK) return;
  fprintf(stderr, "dynamics: %s\n", gapkit_error_message());
  exit(2);
}

/* Diamond, with fixed directions of the velocities. */
static void make_crystal(double positions[n][3], double velocities[n][3]) {
  static const double basis[n][3] = {{0, 0, 0}, {0, 2, 2}, {2, 0, 2}, {2, 2, 0}, {1, 1, 1}, {1, 3, 3}, {3, 1, 3}, {3, 3, 1}};
  for (int i = 0; i < n; ++i)
    for (int a = 0; a < 3; ++a) {
      positions[i][a] = basis[i][a] * lattice / 4;
      velocities[i][a] = spread * sin(1.0 + 7 * i + 3 * a);
    }
}

/* Energy of the centre atoms with every periodic image up to `reach` as a ghost. */
static double energy_with_ghosts(gapkit_model* model, double positions[n][3]) {
  static double all[most_ghosts][3];
  static int numbers[most_ghosts], owners[most_ghosts], neighbors[most_neighbors];
  static double forces[most_ghosts][3];
  size_t first[n + 1] = {0};
  const double reach = gapkit_cutoff(model) + 0.3; /* with a skin, like a neighbour list */
  const int images = (int)ceil(reach / lattice) + 1;
  int atoms = n;
  memcpy(all, positions, sizeof(double) * n * 3);
  for (int i = 0; i < n; ++i) owners[i] = i;
  for (int x = -images; x <= images; ++x)
    for (int y = -images; y <= images; ++y)
      for (int z = -images; z <= images; ++z)
        for (int i = 0; i < n && (x || y || z); ++i) {
          const double r[3] = {positions[i][0] + x * lattice, positions[i][1] + y * lattice, positions[i][2] + z * lattice};
          int is_near = 1;
          for (int a = 0; a < 3; ++a) is_near = is_near && r[a] > -reach - 1 && r[a] < lattice + reach + 1;
          if (!is_near) continue;
          if (atoms == most_ghosts) exit(1);
          memcpy(all[atoms], r, sizeof r);
          owners[atoms++] = i;
        }
  for (int k = 0; k < atoms; ++k) numbers[k] = 14;
  for (int i = 0; i < n; ++i) {
    first[i + 1] = first[i];
    for (int j = 0; j < atoms; ++j) {
      const double x = all[j][0] - all[i][0], y = all[j][1] - all[i][1], z = all[j][2] - all[i][2];
      if (j == i || x * x + y * y + z * z > reach * reach) continue;
      if (first[i + 1] == most_neighbors) exit(1);
      neighbors[first[i + 1]++] = j;
    }
  }
  double energy = 0;
  const gapkit_environments environments = {.size = sizeof environments,
                                            .n_centres = n,
                                            .n_atoms = atoms,
                                            .atomic_numbers = numbers,
                                            .positions = &all[0][0],
                                            .first = first,
                                            .neighbors = neighbors,
                                            .list_cutoff = reach,
                                            .owners = owners};
  const gapkit_results results = {.size = sizeof results, .energy = &energy, .forces = &forces[0][0]};
  check(gapkit_evaluate_environments(model, &environments, &results));
  return energy;
}

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: dynamics MODEL [STEPS]\n");
    return 2;
  }
  const int steps = argc > 2 ? atoi(argv[2]) : 200;
  gapkit_model* model = NULL;
  check(gapkit_load(argv[1], GAPKIT_INTERFACE, &model));
  printf("gapkit %s, cutoff %.2f Å\n", gapkit_version(), gapkit_cutoff(model));

  double positions[n][3], velocities[n][3], forces[n][3], forces_std[n][3];
  const int numbers[n] = {14, 14, 14, 14, 14, 14, 14, 14};
  const double cell[3][3] = {{lattice, 0, 0}, {0, lattice, 0}, {0, 0, lattice}};
  make_crystal(positions, velocities);
  const gapkit_structure structure = {
      .size = sizeof structure, .n_atoms = n, .atomic_numbers = numbers, .positions = &positions[0][0], .cell = &cell[0][0]};
  double energy = 0;
  const gapkit_results mean = {.size = sizeof mean, .energy = &energy, .forces = &forces[0][0]};
  gapkit_results with_error_bars = mean;
  if (gapkit_has_error_bars(model)) with_error_bars.forces_std_epistemic = &forces_std[0][0];

  printf("  step   energy (eV)   total energy (eV)   largest error bar of a force (eV/Å)\n");
  for (int step = 0; step <= steps; ++step) {
    const int is_shown = step % 50 == 0;
    check(gapkit_evaluate(model, &structure, is_shown ? &with_error_bars : &mean));
    double kinetic = 0, largest = 0;
    for (int i = 0; i < n; ++i)
      for (int a = 0; a < 3; ++a) {
        if (step > 0) velocities[i][a] += 0.5 * timestep / mass * forces[i][a];
        kinetic += 0.5 * mass * velocities[i][a] * velocities[i][a];
        if (gapkit_has_error_bars(model) && forces_std[i][a] > largest) largest = forces_std[i][a];
      }
    if (is_shown) printf("%6d   %.6f   %.6f   %.4f\n", step, energy, energy + kinetic, largest);
    if (step == steps) break;
    for (int i = 0; i < n; ++i)
      for (int a = 0; a < 3; ++a) {
        velocities[i][a] += 0.5 * timestep / mass * forces[i][a];
        positions[i][a] += timestep * velocities[i][a];
      }
  }
  printf("with ghosts: %.9f eV, the difference is %.0e eV\n", energy_with_ghosts(model, positions),
         fabs(energy_with_ghosts(model, positions) - energy));
  gapkit_free(model);
  return 0;
}
