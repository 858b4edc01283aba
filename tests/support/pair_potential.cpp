#include "support/pair_potential.hpp"

#include <cmath>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/io/extxyz.hpp>

namespace gapkit::test {
namespace {

double charge(int atomic_number) {
  return atomic_number == 14 ? 1.0 : 1.7;
}

// φ(r) and φ'(r) for ε = 1
std::pair<double, double> pair_energy(double r) {
  constexpr double s = 2.2, rc = pair_potential_cutoff;
  const double u = std::pow(s / r, 3), well = u * u - u, well_slope = (-6 * u * u + 3 * u) / r;
  const double base = 1 - r * r / (rc * rc), taper = base * base * base, taper_slope = -6 * r / (rc * rc) * base * base;
  return {well * taper, well_slope * taper + well * taper_slope};
}

}  // namespace

double lone_atom_energy(int atomic_number) {
  return -0.7 - 0.01 * atomic_number;
}

Structure labelled(Structure structure, const std::string& config_type) {
  const NeighborList list(structure, pair_potential_cutoff);
  double energy = 0;
  Positions forces = Positions::Zero(structure.size(), 3);
  Matrix3 virial = Matrix3::Zero();
  for (int i = 0; i < structure.size(); ++i) {
    const auto centre = static_cast<std::size_t>(i);
    energy += lone_atom_energy(structure.atomic_numbers[centre]);
    for (std::size_t p = list.begin()[centre]; p < list.begin()[centre + 1]; ++p) {
      const int j = list.index()[p];
      const double strength =
          0.5 * std::sqrt(charge(structure.atomic_numbers[centre]) * charge(structure.atomic_numbers[static_cast<std::size_t>(j)]));
      const auto [value, slope] = pair_energy(list.distance()[p]);
      const Vector3 gradient = 0.5 * strength * slope / list.distance()[p] * list.vector()[p];  // of ½φ with respect to r_ij
      energy += 0.5 * strength * value;
      forces.row(i) += gradient.transpose();
      forces.row(j) -= gradient.transpose();
      virial -= gradient * list.vector()[p].transpose();
    }
  }
  structure.energy = energy;
  structure.forces = forces;
  structure.config_type = config_type;
  structure.set_field("energy", energy);
  structure.set_field("config_type", config_type);
  structure.set_column("forces", 3, {forces.data(), forces.data() + forces.size()});
  if (structure.cell) {
    structure.virial = virial;
    structure.set_field("virial", std::vector<double>(virial.data(), virial.data() + 9));
  }
  return structure;
}

Structure lone_atom(int atomic_number, const std::string& config_type) {
  Structure atom;
  atom.atomic_numbers = {atomic_number};
  atom.positions = Positions::Zero(1, 3);
  return labelled(atom, config_type);
}

std::string write_frames(const std::string& path, const std::vector<Structure>& frames) {
  ExtxyzWriter writer(path);
  for (const Structure& frame : frames) writer.write(frame);
  writer.commit();
  return path;
}

}  // namespace gapkit::test
