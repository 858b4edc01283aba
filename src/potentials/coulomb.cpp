#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/potentials/coulomb.hpp>
#include <numbers>

#include "potentials/real_space.hpp"
#include "potentials/reciprocal_space.hpp"

namespace gapkit {
namespace {

constexpr double neutral_within = 1e-6;  // e; of a wire

void require_widths(const ChargeCloud& cloud) {
  const bool are_positive = !cloud.widths.empty() && std::all_of(cloud.widths.begin(), cloud.widths.end(), [](double w) { return w > 0; });
  if (!are_positive)
    throw InputError(cloud.structure.place() + "the energy of a point charge with itself is infinite: widths above 0 are needed");
}

double width_of(const ChargeCloud& cloud, int i) {
  return cloud.widths.empty() ? 0 : cloud.widths[static_cast<std::size_t>(i)];
}

bool is_periodic(const CellFrame& frame) {
  return std::any_of(frame.periodic.begin(), frame.periodic.end(), [](bool p) { return p; });
}

/// Potential of a Gaussian with itself for a unit charge, eV/e.
double own_potential(double width) {
  return coulomb_constant * std::numbers::inv_sqrtpi / width;
}

/// Potentials of the uniform background of a charged cell, and its virial.
void add_background(const ChargeCloud& cloud, const EwaldPlan& plan, CoulombSum& sum) {
  const double pi = std::numbers::pi, per_volume = coulomb_constant / plan.volume;
  double total = 0, spread = 0;
  for (int i = 0; i < cloud.structure.size(); ++i) {
    const double q = cloud.charges[static_cast<std::size_t>(i)];
    total += q;
    spread += q * width_of(cloud, i) * width_of(cloud, i);
  }
  double energy = 0;
  for (int i = 0; i < cloud.structure.size(); ++i) {
    const double square = width_of(cloud, i) * width_of(cloud, i);
    const double potential = per_volume * pi * (2 * (spread + total * square) - total / (plan.alpha * plan.alpha));
    sum.potential[i] += potential;
    energy += 0.5 * cloud.charges[static_cast<std::size_t>(i)] * potential;
  }
  sum.virial += energy * Matrix3::Identity();
}

}  // namespace

CoulombSum coulomb_sum(const ChargeCloud& cloud, const CoulombOptions& options) {
  const int n = cloud.structure.size();
  if (options.self_energy) require_widths(cloud);
  CoulombSum sum;
  sum.potential = Vector::Zero(n);
  if (options.derivatives) sum.forces = Positions::Zero(n, 3);
  if (n == 0) return sum;
  const CellFrame frame = make_cell_frame(cloud.structure);
  if (is_periodic(frame)) {
    const EwaldPlan plan = plan_ewald(cloud, frame, options);
    double total = 0;
    for (const double q : cloud.charges) total += q;
    if (plan.periodic == 1 && std::abs(total) > neutral_within)
      throw InputError(
          fmt::format("{}the charges sum to {:.6g} e, and a charged wire (one periodic direction) has no Coulomb energy; set pbc "
                      "to true in another direction, or make the charges neutral",
                      cloud.structure.place(), total));
    sum.alpha = plan.alpha;
    add_real_space(cloud, plan.alpha, plan.real_cutoff, options, sum);
    add_reciprocal_space(cloud, plan, options, sum);
    for (int i = 0; i < n; ++i)
      sum.potential[i] -= 2 * coulomb_constant * plan.alpha * std::numbers::inv_sqrtpi * cloud.charges[static_cast<std::size_t>(i)];
    if (plan.periodic == 3) add_background(cloud, plan, sum);
  } else {
    add_real_space(cloud, 0, 0, options, sum);
  }
  for (int i = 0; i < n; ++i) {
    const double q = cloud.charges[static_cast<std::size_t>(i)];
    if (options.self_energy) sum.potential[i] += own_potential(width_of(cloud, i)) * q;
    sum.energy += 0.5 * q * sum.potential[i];
  }
  sum.virial = 0.5 * (sum.virial + sum.virial.transpose()).eval();
  return sum;
}

Matrix coulomb_matrix(const ChargeCloud& cloud, const CoulombOptions& options) {
  const int n = cloud.structure.size();
  if (options.self_energy) require_widths(cloud);
  Matrix matrix = Matrix::Zero(n, n);
  if (n == 0) return matrix;
  const std::vector<double> unit(static_cast<std::size_t>(n), 1.0);
  const ChargeCloud units{cloud.structure, unit, cloud.widths};
  const CellFrame frame = make_cell_frame(cloud.structure);
  if (is_periodic(frame)) {
    const EwaldPlan plan = plan_ewald(units, frame, options);
    if (plan.periodic == 1)
      throw InputError(cloud.structure.place() +
                       "a charged wire (one periodic direction) has no Coulomb energy, so the Coulomb matrix of this "
                       "structure does not exist; set pbc to true in another direction");
    add_real_space(units, plan.alpha, plan.real_cutoff, matrix);
    add_reciprocal_space(units, plan, matrix);
    matrix.diagonal().array() -= 2 * coulomb_constant * plan.alpha * std::numbers::inv_sqrtpi;
    if (plan.periodic == 3) {
      const double per_volume = coulomb_constant * std::numbers::pi / plan.volume;
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
          matrix(i, j) +=
              per_volume * (2 * (std::pow(width_of(cloud, i), 2) + std::pow(width_of(cloud, j), 2)) - 1 / std::pow(plan.alpha, 2));
    }
  } else {
    add_real_space(units, 0, 0, matrix);
  }
  if (options.self_energy)
    for (int i = 0; i < n; ++i) matrix(i, i) += own_potential(width_of(cloud, i));
  return matrix;
}

}  // namespace gapkit
