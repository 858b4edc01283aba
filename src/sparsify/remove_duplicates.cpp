#include <fmt/format.h>

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/random_stream.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <limits>
#include <unordered_map>

namespace gapkit {
namespace {

/// A fixed direction with components between ½ and 1 in size and random signs, the same for every call.
Vector projection_direction(Eigen::Index size) {
  RandomStream random{.seed = 0x5eed};
  Vector direction(size);
  for (double& component : direction) {
    const double sign = random.below(2) == 0 ? 1 : -1;
    component = size == 1 ? 1 : sign * (0.5 + 0.5 * random.uniform());
  }
  return direction;
}

bool is_near(const double* a, const double* b, Eigen::Index size, double tolerance) {
  for (Eigen::Index d = 0; d < size; ++d)
    if (!(std::abs(a[d] - b[d]) <= tolerance)) return false;
  return true;
}

}  // namespace

// Near-copies have nearly equal projections on any direction: |w·(x − x')| ≤ tolerance Σ|w_d|. So kept vectors are sorted into cells of
// this width along one direction, and a new vector is compared only with those in its own and the two adjacent cells.
std::vector<int> remove_duplicates(const Candidates& candidates, double tolerance) {
  const Matrix& x = candidates.x;
  const Eigen::Index n = x.rows(), size = x.cols();
  if (!(tolerance >= 0 && std::isfinite(tolerance)))
    throw InputError(fmt::format("remove_duplicates: tolerance is {}, expected a number of at least 0", tolerance));
  const Vector direction = projection_direction(size);
  Vector projection(n), magnitude(n);
#pragma omp parallel for schedule(static)
  for (Eigen::Index i = 0; i < n; ++i) {
    const double* row = x.data() + i * size;
    double sum = 0, sum_abs = 0;
    for (Eigen::Index d = 0; d < size; ++d) {
      const double term = row[d] * direction[d];
      sum += term;
      sum_abs += std::abs(term);
    }
    projection[i] = sum;
    magnitude[i] = sum_abs;
  }
  double largest = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    if (!std::isfinite(projection[i]) || !std::isfinite(magnitude[i]))
      throw InputError(fmt::format("remove_duplicates: candidate {} has a feature that is not a finite number", i));
    largest = std::max(largest, magnitude[i]);
  }
  // The second part covers rounding of the projections and keeps cell numbers below 2^51.
  const double rounding = 2 * std::numeric_limits<double>::epsilon() * static_cast<double>(size + 2) * largest;
  const double width = tolerance * direction.lpNorm<1>() + rounding + std::numeric_limits<double>::min();

  std::vector<int> kept;
  std::unordered_map<std::int64_t, std::vector<int>> cells;
  cells.reserve(static_cast<std::size_t>(n));
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto cell = static_cast<std::int64_t>(std::floor(projection[i] / width));
    bool is_copy = false;
    for (std::int64_t near_cell = cell - 1; near_cell <= cell + 1 && !is_copy; ++near_cell) {
      const auto found = cells.find(near_cell);
      if (found == cells.end()) continue;
      for (const int j : found->second)
        if (is_near(x.data() + i * size, x.data() + j * size, size, tolerance)) {
          is_copy = true;
          break;
        }
    }
    if (is_copy) continue;
    cells[cell].push_back(static_cast<int>(i));
    kept.push_back(static_cast<int>(i));
  }
  return kept;
}

}  // namespace gapkit
