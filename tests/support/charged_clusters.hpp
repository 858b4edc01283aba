#pragma once

#include <cmath>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/potentials/potential.hpp>
#include <random>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"

namespace gapkit::test {

// Molecules whose energy has a part of charges that depend on positions.

inline constexpr double charge_reach = 3.0;  // Å, of the charges

/// Charges that sum to +1 on silicon and −1 on carbon; distances within a cluster move charge between its atoms.
inline std::vector<double> cluster_charges(const Structure& s) {
  std::vector<double> q(static_cast<std::size_t>(s.size()), 0.0);
  const NeighborList list(s, charge_reach);
  std::vector<double> crowding(q.size(), 0.0);
  for (std::size_t i = 0; i < q.size(); ++i)
    for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p) crowding[i] += std::pow(1 - list.distance()[p] / charge_reach, 2);
  for (std::size_t i = 0; i < q.size(); ++i) {
    const std::size_t first = i < 3 ? 0 : 3;
    const double mean = (crowding[first] + crowding[first + 1] + crowding[first + 2]) / 3;
    q[i] = (s.atomic_numbers[i] == 14 ? 1.0 : -1.0) / 3 + 0.5 * (crowding[i] - mean);
  }
  return q;
}

/// Energy of the charges, eV.
inline double cluster_coulomb(Structure s) {
  s.set_column("charge", 1, cluster_charges(s));
  return evaluate(*make_potential("coulomb", {{"charges", std::string("given")}}), s).energy;
}

/// Adds an energy and its forces, by finite differences, to the labels, also to those that are written to a file.
template <class Energy>
void add_energy(Structure& s, const Energy& energy_of) {
  *s.energy += energy_of(s);
  constexpr double step = 1e-4;
  for (int i = 0; i < s.size(); ++i)
    for (int k = 0; k < 3; ++k) {
      Structure up = s, down = s;
      up.positions(i, k) += step;
      down.positions(i, k) -= step;
      (*s.forces)(i, k) += (energy_of(down) - energy_of(up)) / (2 * step);
    }
  s.set_field("energy", *s.energy);
  s.set_column("forces", 3, {s.forces->data(), s.forces->data() + s.forces->size()});
}

/// Three silicon atoms and three of another element, the clusters `apart` Å from each other, without labels.
inline Structure bare_clusters(unsigned seed, double apart, int other) {
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0, 0.1);
  Structure s;
  s.atomic_numbers = {14, 14, 14, other, other, other};
  s.positions.resize(6, 3);
  s.positions << 0, 0, 0, 2.65, 0, 0, 1.3, 2.3, 0, apart, 0, 0, apart + 2.65, 0, 0, apart + 1.3, 2.3, 0;
  for (Eigen::Index i = 0; i < s.positions.size(); ++i) s.positions.data()[i] += noise(random);
  return s;
}

/// Gives clusters the labels of a pair potential and of their charges; forces include the change of the charges.
inline Structure with_charges(Structure s) {
  s = labelled(s);
  s.set_column("charge", 1, cluster_charges(s));
  s.set_field("total_charge", s.atomic_numbers.back() == 14 ? 2.0 : 0.0);
  add_energy(s, cluster_coulomb);
  return s;
}

inline Structure two_clusters(unsigned seed, double apart, int other = 6) {
  return with_charges(bare_clusters(seed, apart, other));
}

/// At growing distances.
inline std::vector<Structure> clusters(unsigned first, unsigned count) {
  std::vector<Structure> frames;
  for (unsigned k = 0; k < count; ++k) frames.push_back(two_clusters(first + k, 6 + 0.3 * k));
  return frames;
}

/// A pair term and SOAP for the short range, charges from SOAP.
inline FitOptions learned_options() {
  PropertyOptions property;
  property.keys = {.name = "charge", .unit = "e", .column = "charge", .total = "total_charge"};
  property.terms = {small_soap(3, 2, 2, 10, 3.6)};
  property.terms.front().delta = 0.2;
  property.sigma = 0.01;
  FitOptions options = small_options("", {small_two_body(0.8, 15), small_soap(3, 2, 2, 20, 3.6)});
  options.properties = {property};
  options.baselines = {make_potential("coulomb", {{"charges", std::string("learned")}})};
  options.use[Property::virial] = false;
  return options;
}

}  // namespace gapkit::test
