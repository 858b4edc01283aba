// SPDX-License-Identifier: MIT
// Registers pair_style gapkit and compute gapkit/std: with `plugin load` in a LAMMPS that has plugins, with gapkit_register() in any other.
#include <force.h>
#include <lammps.h>
#include <lammpsplugin.h>
#include <modify.h>
#include <version.h>

#include "compute_gapkit_std.h"
#include "pair_gapkit.h"

using namespace LAMMPS_NS;

namespace {

Pair* make_pair_gapkit(LAMMPS* lmp) {
  return new PairGapkit(lmp);
}

Compute* make_compute_std(LAMMPS* lmp, int narg, char** arg) {
  return new ComputeGapkitStd(lmp, narg, arg);
}

void* make_pair_by_plugin(void* lmp) {
  return make_pair_gapkit(static_cast<LAMMPS*>(lmp));
}

void* make_compute_by_plugin(void* lmp, int narg, char** arg) {
  return make_compute_std(static_cast<LAMMPS*>(lmp), narg, arg);
}

}  // namespace

extern "C" {

// Called by `plugin load`.
__attribute__((visibility("default"))) void lammpsplugin_init(void* lmp, void* handle, void* register_plugin) {
  const auto add = reinterpret_cast<lammpsplugin_regfunc>(register_plugin);
  lammpsplugin_t plugin = {};
  plugin.version = LAMMPS_VERSION;
  plugin.author = "gapkit";
  plugin.handle = handle;
  plugin.style = "pair";
  plugin.name = "gapkit";
  plugin.info = "Gaussian Approximation Potentials";
  plugin.creator.v1 = make_pair_by_plugin;
  add(&plugin, lmp);
  plugin.style = "compute";
  plugin.name = "gapkit/std";
  plugin.info = "error bars of pair_style gapkit";
  plugin.creator.v2 = make_compute_by_plugin;
  add(&plugin, lmp);
}

// For a LAMMPS without plugins; `lammps` is its LAMMPS object.
__attribute__((visibility("default"))) void gapkit_register(void* lammps) {
  auto* lmp = static_cast<LAMMPS*>(lammps);
  (*lmp->force->pair_map)["gapkit"] = make_pair_gapkit;
  (*lmp->modify->compute_map)["gapkit/std"] = make_compute_std;
}
}
