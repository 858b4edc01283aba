#include "potentials/real_space.hpp"

#include <algorithm>
#include <cmath>
#include <gapkit/core/neighbor_list.hpp>
#include <gapkit/core/units.hpp>
#include <gapkit/math/parallel_tasks.hpp>
#include <numbers>

#include "potentials/screened_loops.hpp"

namespace gapkit {
namespace {

constexpr int atoms_per_task = 16;
constexpr double near_enough = 0.3;  // α r below which differences of two erfc lose digits and a power series has few terms

/// erf(a r)/r and its derivative by r, for a r ≤ near_enough.
void series(double a, double r, double& value, double& slope) {
  const double x2 = a * a * r * r, two_over_root_pi = 2 * std::numbers::inv_sqrtpi;
  double power = 1, sum = 0, derivative = 0;  // power = (−x²)ⁿ/n!
  for (int n = 0; n < 12; ++n) {
    sum += power / (2 * n + 1);
    if (n > 0) derivative += 2 * n * power / (2 * n + 1);
    power *= -x2 / (n + 1);
  }
  value = two_over_root_pi * a * sum;
  slope = r > 0 ? two_over_root_pi * a * derivative / r : 0;
}

/// Pairs of one atom, and their kernel.
class PairRow {
 public:
  PairRow(const ChargeCloud& cloud, double alpha) : cloud_(cloud), alpha_(alpha) {}

  std::vector<int> other;
  std::vector<double> distance;
  std::vector<Vector3> vector;
  std::vector<double> value, slope;  // of s_ij

  void clear() {
    other.clear();
    distance.clear();
    vector.clear();
  }
  void add(int j, const Vector3& r, double length) {
    other.push_back(j);
    vector.push_back(r);
    distance.push_back(length);
  }

  // Values and slopes of the pairs of atom i.
  void evaluate(int i) {
    const std::size_t count = other.size();
    screening_.assign(count, alpha_);
    value.resize(count);
    slope.resize(count);
    const ScreenedLoops& loops = screened_loops();
    loops.screened(static_cast<int>(count), distance.data(), screening_.data(), value.data(), slope.data());
    if (cloud_.widths.empty()) return;
    bool has_width = false;
    for (std::size_t p = 0; p < count; ++p) {
      const double gamma = std::hypot(width(i), width(other[p]));
      has_width = has_width || gamma > 0;
      screening_[p] = gamma > 0 ? std::numbers::sqrt2 / (2 * gamma) : point;
    }
    if (!has_width) return;
    smeared_.resize(count);
    smeared_slope_.resize(count);
    loops.screened(static_cast<int>(count), distance.data(), screening_.data(), smeared_.data(), smeared_slope_.data());
    for (std::size_t p = 0; p < count; ++p) subtract(p);
  }

 private:
  static constexpr double point = 1e6;  // 1/Å: erfc of a point is 0 at all distances of atoms

  double width(int i) const { return cloud_.widths[static_cast<std::size_t>(i)]; }

  void subtract(std::size_t p) {
    const double r = distance[p], a = screening_[p];
    if (a == point) return;
    if (std::max(a, alpha_) * r > near_enough) {
      value[p] -= smeared_[p];
      slope[p] -= smeared_slope_[p];
      return;
    }
    double of_width = 0, width_slope = 0, of_alpha = 0, alpha_slope = 0;
    series(a, r, of_width, width_slope);
    series(alpha_, r, of_alpha, alpha_slope);
    value[p] = of_width - of_alpha;
    slope[p] = width_slope - alpha_slope;
  }

  const ChargeCloud& cloud_;
  double alpha_;
  std::vector<double> screening_, smeared_, smeared_slope_;
};

/// Calls visit(task, i, row) with the pairs of each atom, in parallel over tasks of `atoms_per_task` atoms.
template <class Visit>
void for_rows(const ChargeCloud& cloud, double alpha, double cutoff, const Visit& visit) {
  const Structure& s = cloud.structure;
  const int n = s.size();
  std::optional<NeighborList> list;
  if (alpha > 0) list.emplace(s, cutoff);
  const auto tasks = static_cast<std::size_t>((n + atoms_per_task - 1) / atoms_per_task);
  const int lanes = in_parallel_region() ? 1 : thread_count();
  std::vector<PairRow> rows(static_cast<std::size_t>(lanes), PairRow(cloud, alpha));
  parallel_tasks(tasks, lanes, [&](std::size_t task, std::size_t lane) {
    PairRow& row = rows[lane];
    const int first = static_cast<int>(task) * atoms_per_task, last = std::min(n, first + atoms_per_task);
    for (int i = first; i < last; ++i) {
      row.clear();
      if (list) {
        const auto at = static_cast<std::size_t>(i);
        for (std::size_t p = list->begin()[at]; p < list->begin()[at + 1]; ++p)
          row.add(list->index()[p], list->vector()[p], list->distance()[p]);
      } else {
        for (int j = 0; j < n; ++j) {
          if (j == i) continue;
          const Vector3 r = (s.positions.row(j) - s.positions.row(i)).transpose();
          row.add(j, r, r.norm());
        }
      }
      row.evaluate(i);
      visit(task, i, row);
    }
  });
}

}  // namespace

void add_real_space(const ChargeCloud& cloud, double alpha, double cutoff, const CoulombOptions& options, CoulombSum& sum) {
  const auto tasks = static_cast<std::size_t>((cloud.structure.size() + atoms_per_task - 1) / atoms_per_task);
  std::vector<Matrix3> virials(tasks, Matrix3::Zero());
  for_rows(cloud, alpha, cutoff, [&](std::size_t task, int i, const PairRow& row) {
    const double qi = cloud.charges[static_cast<std::size_t>(i)];
    double potential = 0;
    Vector3 force = Vector3::Zero();
    for (std::size_t p = 0; p < row.other.size(); ++p) {
      const double qj = cloud.charges[static_cast<std::size_t>(row.other[p])], r = row.distance[p];
      potential += qj * row.value[p];
      if (!options.derivatives || r == 0) continue;
      const Vector3 pull = qi * qj * row.slope[p] / r * row.vector[p];
      force += pull;
      virials[task] -= 0.5 * coulomb_constant * pull * row.vector[p].transpose();
    }
    sum.potential[i] += coulomb_constant * potential;
    if (options.derivatives) sum.forces.row(i) += coulomb_constant * force.transpose();
  });
  for (const Matrix3& virial : virials) sum.virial += virial;
}

void add_real_space(const ChargeCloud& cloud, double alpha, double cutoff, Matrix& matrix) {
  for_rows(cloud, alpha, cutoff, [&](std::size_t, int i, const PairRow& row) {
    for (std::size_t p = 0; p < row.other.size(); ++p) matrix(i, row.other[p]) += coulomb_constant * row.value[p];
  });
}

}  // namespace gapkit
