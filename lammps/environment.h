// SPDX-License-Identifier: MIT
// Settings of pair_style gapkit from the environment.
#pragma once

#include <utils.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace LAMMPS_NS {

// OpenMP threads of each rank: those of LAMMPS, else OMP_NUM_THREADS (a LAMMPS without OpenMP does not read it), else 1.
inline int thread_count(int of_lammps) {
  if (of_lammps > 1) return of_lammps;
  const char* given = std::getenv("OMP_NUM_THREADS");
  return std::max(1, given != nullptr ? std::atoi(given) : 1);
}

// The file of a potential as it is, or in the folders of LAMMPS_POTENTIALS; the path as it is if there is none.
// LAMMPS looks there too, but that of Debian looks in a folder of its own only.
inline std::string file_of_potential(const std::string& path) {
  const std::string found = utils::get_potential_file_path(path);
  if (!found.empty()) return found;
  const char* folders = std::getenv("LAMMPS_POTENTIALS");
  std::istringstream words(folders != nullptr ? folders : "");
  for (std::string folder; std::getline(words, folder, ':');) {
    const std::string file = folder + "/" + path.substr(path.rfind('/') + 1);  // npos + 1 is 0
    if (!folder.empty() && std::ifstream(file)) return file;
  }
  return path;
}

}  // namespace LAMMPS_NS
