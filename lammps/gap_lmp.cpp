// SPDX-License-Identifier: MIT
// gap-lmp: LAMMPS with pair_style gapkit, for a LAMMPS without plugins. It has the options of lmp.
#include <input.h>
#include <lammps.h>
#include <mpi.h>

extern "C" void gapkit_register(void* lammps);

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  auto* lammps = new LAMMPS_NS::LAMMPS(argc, argv, MPI_COMM_WORLD);
  gapkit_register(lammps);
  lammps->input->file();
  delete lammps;
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Finalize();
}
