#include <cmath>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/math/parallel_tasks.hpp>
#include <gapkit/potentials/dispersion.hpp>
#include <map>
#include <numbers>

namespace gapkit {
namespace {

constexpr int atoms_of_task = 16;

/// 1 up to the beginning of the switch, 0 from the cutoff on, with two continuous derivatives between.
struct Switch {
  double value = 1, slope = 0;
};

Switch switch_at(double r, const DispersionOptions& options) {
  const double t = (r - (options.cutoff - options.width)) / options.width;
  if (!(t > 0)) return {};
  if (t >= 1) return {0, 0};
  return {1 - t * t * t * (10 - t * (15 - 6 * t)), -30 * t * t * (1 - t) * (1 - t) / options.width};
}

/// F(r, R), with its derivatives by both.
struct Damped {
  double value = 0, by_distance = 0, by_radius = 0;
};

Damped damped(double r, double radius, const DispersionOptions& options) {
  const double r2 = r * r, r6 = r2 * r2 * r2;
  if (options.damping == DispersionOptions::Damping::becke_johnson) {
    const double radius2 = radius * radius, radius6 = radius2 * radius2 * radius2, value = 1 / (r6 + radius6);
    return {value, -6 * r6 / r * value * value, -6 * radius6 / radius * value * value};
  }
  const double f = 1 / (1 + std::exp(-options.steepness * (r / radius - 1))), slope = options.steepness * f * (1 - f) / radius;
  return {f / r6, (slope - 6 * f / r) / r6, -slope * r / radius / r6};
}

/// ∫ (1 − S) r⁻⁴ dr from the beginning of the switch to infinity.
double tail_integral(const DispersionOptions& options) {
  constexpr int points = 400;
  const double begin = options.cutoff - options.width, step = options.width / points;
  double sum = 0;  // Simpson's rule
  for (int k = 0; k <= points; ++k) {
    const double r = begin + k * step, weight = k == 0 || k == points ? 1 : k % 2 == 1 ? 4 : 2;
    if (r > 0) sum += weight * (1 - switch_at(r, options).value) / (r * r * r * r);
  }
  return sum * step / 3 + 1 / (3 * std::pow(options.cutoff, 3));
}

class PairSum {
 public:
  PairSum(const Structure& structure, std::span<const FreeAtom> atoms, std::span<const double> volumes, const DispersionOptions& options)
      : structure_(structure), atoms_(atoms), volumes_(volumes), options_(options) {
    for (std::size_t i = 0; i < atoms.size(); ++i) radius_.push_back(atoms[i].radius * std::cbrt(volume(i)));
  }

  double volume(std::size_t i) const { return volumes_.empty() ? 1 : volumes_[i]; }

  double c6(std::size_t i, std::size_t j) const {
    const FreeAtom &a = atoms_[i], &b = atoms_[j];
    return volume(i) * volume(j) * 2 * a.c6 * b.c6 /
           (a.c6 * b.polarizability / a.polarizability + b.c6 * a.polarizability / b.polarizability);
  }

  void add_atom(const NeighborList& list, std::size_t i, DispersionSum& sum, Matrix3& virial) const {
    double share = 0, by_volume = 0;
    Vector3 force = Vector3::Zero();
    for (std::size_t p = list.begin()[i]; p < list.begin()[i + 1]; ++p) {
      const auto j = static_cast<std::size_t>(list.index()[p]);
      const double r = list.distance()[p], c = c6(i, j);
      const Switch s = switch_at(r, options_);
      const Damped d = damped(r, options_.radius_scale * (radius_[i] + radius_[j]), options_);
      share -= 0.5 * c * d.value * s.value;
      by_volume -= c * s.value * (d.value + d.by_radius * options_.radius_scale * radius_[i] / 3) / volume(i);
      if (!options_.derivatives || r == 0) continue;
      const Vector3 pull = -c * (d.by_distance * s.value + d.value * s.slope) / r * list.vector()[p];
      force += pull;
      virial -= 0.5 * pull * list.vector()[p].transpose();
    }
    const auto at = static_cast<Eigen::Index>(i);
    sum.share[i] += share;
    sum.volume_slope[at] += by_volume;
    if (options_.derivatives) sum.forces.row(at) += force.transpose();
  }

  void add_tail(DispersionSum& sum) const {
    const double factor = -2 * std::numbers::pi / structure_.volume() * tail_integral(options_);
    // Atoms of equal elements differ by their volumes only.
    std::map<int, std::pair<std::size_t, double>> elements;  // an atom of each, and the sum of volumes
    for (std::size_t i = 0; i < atoms_.size(); ++i)
      elements.try_emplace(structure_.atomic_numbers[i], i, 0.0).first->second.second += volume(i);
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      double of_atom = 0;
      for (const auto& [z, one] : elements) of_atom += c6(i, one.first) / volume(one.first) * one.second;
      sum.share[i] += factor * of_atom;
      sum.tail += factor * of_atom;
      sum.volume_slope[static_cast<Eigen::Index>(i)] += 2 * factor * of_atom / volume(i);
    }
    sum.virial += sum.tail * Matrix3::Identity();
  }

 private:
  const Structure& structure_;
  std::span<const FreeAtom> atoms_;
  std::span<const double> volumes_;
  const DispersionOptions& options_;
  std::vector<double> radius_;
};

}  // namespace

DispersionSum dispersion_sum(const Structure& structure, std::span<const FreeAtom> atoms, std::span<const double> volumes,
                             const DispersionOptions& options) {
  const int n = structure.size();
  DispersionSum sum;
  sum.share.assign(static_cast<std::size_t>(n), 0.0);
  sum.volume_slope = Vector::Zero(n);
  if (options.derivatives) sum.forces = Positions::Zero(n, 3);
  const NeighborList list(structure, options.cutoff);
  const PairSum pairs(structure, atoms, volumes, options);
  const auto tasks = static_cast<std::size_t>((n + atoms_of_task - 1) / atoms_of_task);
  std::vector<Matrix3> virials(tasks, Matrix3::Zero());
  parallel_tasks(tasks, in_parallel_region() ? 1 : thread_count(), [&](std::size_t task, std::size_t) {
    const std::size_t first = task * atoms_of_task, last = std::min<std::size_t>(static_cast<std::size_t>(n), first + atoms_of_task);
    for (std::size_t i = first; i < last; ++i) pairs.add_atom(list, i, sum, virials[task]);
  });
  for (const Matrix3& virial : virials) sum.virial += virial;
  const bool is_bulk = structure.cell && structure.pbc[0] && structure.pbc[1] && structure.pbc[2];
  if (options.tail && is_bulk) pairs.add_tail(sum);
  for (const double share : sum.share) sum.energy += share;
  return sum;
}

}  // namespace gapkit
