#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <numeric>

#include "selection_kinds.hpp"

namespace gapkit {
namespace {

/// The nearest free position on either side of any position of a line, in nearly constant time (union-find with path compression).
class FreePositions {
 public:
  explicit FreePositions(int size) : below_(static_cast<std::size_t>(size) + 2), above_(below_.size()) {
    std::iota(below_.begin(), below_.end(), 0);
    std::iota(above_.begin(), above_.end(), 0);
  }
  /// Largest free position ≤ i, or −1.
  int at_or_below(int i) { return find(below_, i + 1) - 1; }
  /// Smallest free position ≥ i, or the size.
  int at_or_above(int i) { return find(above_, i + 1) - 1; }
  void take(int i) {
    below_[static_cast<std::size_t>(i) + 1] = i;
    above_[static_cast<std::size_t>(i) + 1] = i + 2;
  }

 private:
  static int find(std::vector<int>& next, int i) {
    while (next[static_cast<std::size_t>(i)] != i) {
      int& parent = next[static_cast<std::size_t>(i)];
      parent = next[static_cast<std::size_t>(parent)];
      i = parent;
    }
    return i;
  }
  std::vector<int> below_, above_;  // shifted by one, for both ends
};

/// The nearest free candidate to each of M equally spaced points from the smallest to the largest value.
std::vector<int> choose_on_line(const Matrix& x, int count) {
  const int n = static_cast<int>(x.rows());
  std::vector<int> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return x(a, 0) < x(b, 0); });
  const auto value = [&](int position) { return x(order[static_cast<std::size_t>(position)], 0); };
  const double low = value(0), high = value(n - 1);
  FreePositions free(n);
  std::vector<int> chosen;
  for (int m = 0; m < count; ++m) {
    const double fraction = count == 1 ? 0.5 : static_cast<double>(m) / (count - 1);
    const double target = (1 - fraction) * low + fraction * high;
    const auto first_above = std::partition_point(order.begin(), order.end(), [&](int i) { return x(i, 0) < target; });
    const int position = static_cast<int>(first_above - order.begin());
    const int below = free.at_or_below(position - 1);
    const int above = position < n ? free.at_or_above(position) : n;
    const bool take_below = above == n || (below >= 0 && target - value(below) <= value(above) - target);
    const int best = take_below ? below : above;
    free.take(best);
    chosen.push_back(order[static_cast<std::size_t>(best)]);
  }
  return chosen;
}

struct Placed {
  std::uint64_t cell = 0;
  double distance = 0;  // from the cell's centre, squared, in units of the cell
  int candidate = 0;
};

/// Candidates sorted by cell of a grid with `cells` cells per dimension over the range of the data, then by distance from its centre.
std::vector<Placed> placed_on_grid(const Matrix& x, std::uint64_t cells) {
  const Eigen::RowVectorXd low = x.colwise().minCoeff(), range = x.colwise().maxCoeff() - low;
  std::vector<Placed> placed(static_cast<std::size_t>(x.rows()));
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    Placed& p = placed[static_cast<std::size_t>(i)];
    p.candidate = static_cast<int>(i);
    for (Eigen::Index d = 0; d < x.cols(); ++d) {
      const double position = range[d] > 0 ? (x(i, d) - low[d]) / range[d] * static_cast<double>(cells) : 0;
      const std::uint64_t cell = std::min(cells - 1, static_cast<std::uint64_t>(position));
      const double offset = position - (static_cast<double>(cell) + 0.5);
      p.cell = p.cell * cells + cell;
      p.distance += offset * offset;
    }
  }
  std::sort(placed.begin(), placed.end(), [](const Placed& a, const Placed& b) {
    if (a.cell != b.cell) return a.cell < b.cell;
    return a.distance != b.distance ? a.distance < b.distance : a.candidate < b.candidate;
  });
  return placed;
}

struct OccupiedCell {
  int count = 0;
  int nearest = 0;  // candidate nearest to the centre
};

std::vector<OccupiedCell> occupied_cells(const std::vector<Placed>& placed) {
  std::vector<OccupiedCell> occupied;
  for (std::size_t i = 0; i < placed.size(); ++i) {
    if (i == 0 || placed[i].cell != placed[i - 1].cell) occupied.push_back({0, placed[i].candidate});
    ++occupied.back().count;
  }
  return occupied;
}

/// Takes the coarsest of a sequence of grids with at least `count` occupied cells, and from each cell the candidate nearest to its centre,
/// cells with most candidates first. If the finest grid has too few cells (near-copies), other candidates follow in their order.
std::vector<int> choose_on_grid(const Matrix& x, int count) {
  constexpr std::uint64_t finest = 1u << 20;  // three such numbers fit one cell index
  auto cells = static_cast<std::uint64_t>(std::ceil(std::pow(count, 1.0 / static_cast<double>(x.cols())) - 1e-9));
  std::vector<OccupiedCell> occupied;
  while (true) {
    occupied = occupied_cells(placed_on_grid(x, cells));
    if (static_cast<int>(occupied.size()) >= count || cells == finest) break;
    cells = std::min(finest, cells + 1 + cells / 10);
  }
  std::stable_sort(occupied.begin(), occupied.end(), [](const OccupiedCell& a, const OccupiedCell& b) { return a.count > b.count; });
  std::vector<int> chosen;
  std::vector<bool> is_chosen(static_cast<std::size_t>(x.rows()), false);
  const auto take = [&](int i) {
    if (static_cast<int>(chosen.size()) == count || is_chosen[static_cast<std::size_t>(i)]) return;
    is_chosen[static_cast<std::size_t>(i)] = true;
    chosen.push_back(i);
  };
  for (const OccupiedCell& cell : occupied) take(cell.nearest);
  for (int i = 0; i < x.rows(); ++i) take(i);
  return chosen;
}

std::vector<int> choose_uniform(const Candidates& candidates, const SelectionRequest& request) {
  const Eigen::Index size = candidates.x.cols();
  if (size > 3)
    throw InputError(fmt::format(
        "selection 'uniform' is for feature vectors of up to 3 components, this descriptor gives {}; use 'cur' or 'variance'", size));
  return size == 1 ? choose_on_line(candidates.x, request.count) : choose_on_grid(candidates.x, request.count);
}

}  // namespace

SelectionKind uniform_kind() {
  return {"uniform", "candidates nearest to a regular grid over their range (up to 3 dimensions)", false, choose_uniform};
}

}  // namespace gapkit
