#include "potentials/ewald_plan.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <gapkit/core/units.hpp>
#include <numbers>

namespace gapkit {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double smallest_alpha = 0.1, largest_alpha = 2;  // 1/Å
constexpr int alphas = 40;
constexpr double smallest_square = 0.01;  // e²; α does not depend on smaller charges
constexpr double most_images = 1e5;       // within the cutoff of an atom
constexpr double most_pairs = 1e7;        // in the neighbour list, which takes 60 bytes for each
// Time of a pair (list and erfc) over that of an atom and a wave vector (three matrix products): with it, α is within 15 % of the cheapest
// time for 64 to 4096 ions on AVX-512.
constexpr double pair_cost = 100;

/// What the cost depends on besides α.
struct Extent {
  int atoms = 0, periodic = 0;
  double measure = 0;    // volume, area or length of the periodic directions: Å³, Å², Å
  double thickness = 0;  // Å; largest distance across the other directions
  double square = 0;     // mean of q², e²
  double width = 0;      // Å; the largest √2 γ of a pair
};

double mean_square(std::span<const double> charges) {
  double sum = 0;
  for (const double q : charges) sum += q * q;
  return std::max(sum / std::max<double>(1, static_cast<double>(charges.size())), smallest_square);
}

/// s with error e^(−s²), in units of 1/α or 2α.
double reach(const Extent& extent, double alpha, double accuracy) {
  return std::sqrt(std::max(std::log(coulomb_constant * extent.square * alpha / accuracy), 0.0) + 1);
}

double cutoff(const Extent& extent, double alpha, double s) {
  return std::max(s / alpha, s * extent.width);
}

double box_volume(const Extent& extent, double alpha, double s) {
  return extent.measure * std::pow(2 * (extent.thickness + s / alpha), 3 - extent.periodic);
}

/// Atoms and images within r of an atom.
double images(const Extent& extent, double r) {
  const double thick = std::max(extent.thickness, 1.0), density = extent.atoms / extent.measure;
  const double ball = 4 * pi / 3 * r * r * r;
  if (extent.periodic == 3) return density * ball;
  if (extent.periodic == 2) return density * std::min(ball / thick, pi * r * r);
  return density * std::min(ball / (thick * thick), 2 * r);
}

double cost(const Extent& extent, double alpha, double accuracy) {
  const double s = reach(extent, alpha, accuracy), of_each = images(extent, cutoff(extent, alpha, s));
  const double vectors = box_volume(extent, alpha, s) * std::pow(2 * alpha * s, 3) / (12 * pi * pi);
  const double excess = std::max({of_each / most_images, extent.atoms * of_each / most_pairs, 1.0});
  return extent.atoms * (pair_cost * of_each + vectors) * excess * excess;
}

double cheapest_alpha(const Extent& extent, double accuracy) {
  double best = 0, lowest = 0;
  for (int i = 0; i < alphas; ++i) {
    const double alpha = smallest_alpha * std::pow(largest_alpha / smallest_alpha, i / (alphas - 1.0));
    const double value = cost(extent, alpha, accuracy);
    if (i > 0 && !(value < lowest)) continue;
    lowest = value;
    best = alpha;
  }
  return best;
}

/// The diagonal of the bounding box of the atoms in the directions that are not periodic.
double thickness(const Structure& structure, const CellFrame& frame) {
  Vector3 low = Vector3::Constant(INFINITY), high = Vector3::Constant(-INFINITY);
  for (int i = 0; i < structure.size(); ++i) {
    const Vector3 at = frame.fractional(structure.positions.row(i).transpose());
    low = low.cwiseMin(at);
    high = high.cwiseMax(at);
  }
  double square = 0;
  for (int d = 0; d < 3; ++d)
    if (!frame.periodic[static_cast<std::size_t>(d)]) square += std::pow(high[d] - low[d], 2);
  return std::sqrt(square);
}

}  // namespace

EwaldPlan plan_ewald(const ChargeCloud& cloud, const CellFrame& frame, const CoulombOptions& options) {
  EwaldPlan plan;
  plan.periodic = static_cast<int>(std::count(frame.periodic.begin(), frame.periodic.end(), true));
  Extent extent{.atoms = cloud.structure.size(),
                .periodic = plan.periodic,
                .measure = std::abs(frame.basis.determinant()),  // the others are unit vectors, perpendicular to them
                .thickness = thickness(cloud.structure, frame),
                .square = mean_square(cloud.charges)};
  for (const double width : cloud.widths) extent.width = std::max(extent.width, 2 * width);
  plan.alpha = options.alpha > 0 ? options.alpha : cheapest_alpha(extent, options.accuracy);
  const double s = reach(extent, plan.alpha, options.accuracy);
  plan.real_cutoff = cutoff(extent, plan.alpha, s);
  plan.reciprocal_cutoff = 2 * plan.alpha * s;
  plan.range = extent.thickness + s / plan.alpha;
  plan.box = frame.basis;
  plan.along = Matrix3::Identity();
  for (int d = 0; d < 3; ++d) {
    if (frame.periodic[static_cast<std::size_t>(d)]) continue;
    const Vector3 across = frame.basis.row(d).transpose();
    plan.along -= across * across.transpose();
    plan.box.row(d) *= 2 * plan.range;
  }
  plan.volume = std::abs(plan.box.determinant());
  return plan;
}

}  // namespace gapkit
