#include <gapkit/core/errors.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <set>

#include "candidates.hpp"
#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// The definition: all distances after every choice.
std::vector<int> farthest_points_reference(const Matrix& x, int count) {
  const Eigen::RowVectorXd mean = x.colwise().sum() / static_cast<double>(x.rows());
  Vector distance = (x.rowwise() - mean).rowwise().squaredNorm();
  std::vector<int> chosen;
  for (int m = 0; m < count; ++m) {
    int best = -1;
    for (int i = 0; i < x.rows(); ++i) {
      const bool is_free = std::find(chosen.begin(), chosen.end(), i) == chosen.end();
      if (is_free && (best < 0 || distance[i] > distance[best])) best = i;
    }
    if (m == 0) distance.setConstant(std::numeric_limits<double>::infinity());
    chosen.push_back(best);
    distance = distance.cwiseMin((x.rowwise() - x.row(best)).rowwise().squaredNorm());
  }
  return chosen;
}

std::vector<int> farthest_points(const Matrix& x, int count) {
  return selection_kind("fps").choose(as_candidates(x), {.count = count});
}

/// All points of a cubic grid in random order.
Matrix grid(int points, double offset) {
  Matrix x(points * points * points, 3);
  for (int i = 0; i < x.rows(); ++i) x.row(i) << i % points + offset, i / points % points + offset, i / points / points + offset;
  return x;
}

}  // namespace

TEST_CASE("fps equals its definition") {
  for (const int size : {1, 2, 3, 40, 301}) {
    CAPTURE(size);
    const Matrix x = random_matrix(700, size, 11);
    CHECK(farthest_points(x, 1) == farthest_points_reference(x, 1));
    CHECK(farthest_points(x, 120) == farthest_points_reference(x, 120));
    Matrix normalised = x.array().abs() + 5;  // far from the origin compared with their distances
    normalised.rowwise().normalize();
    CHECK(farthest_points(normalised, 120) == farthest_points_reference(normalised, 120));
  }
  const Matrix many = random_matrix(9000, 2, 12);
  CHECK(farthest_points(many, 60) == farthest_points_reference(many, 60));
  const Matrix few = random_matrix(40, 5, 13);
  CHECK(farthest_points(few, 40) == farthest_points_reference(few, 40));
}

TEST_CASE("fps takes the first of equally far candidates, also where matrix products cannot tell them apart") {
  for (const double offset : {0.0, 1e4, 1e7}) {  // sums of squared differences are exact for all of these
    CAPTURE(offset);
    const Matrix x = grid(6, offset);
    CHECK(farthest_points(x, 216) == farthest_points_reference(x, 216));
  }
  // Exact copies are chosen last, in their order.
  Matrix twice(80, 4);
  twice << random_matrix(40, 4, 14), random_matrix(40, 4, 14);
  const std::vector<int> chosen = farthest_points(twice, 80);
  CHECK(chosen == farthest_points_reference(twice, 80));
  std::vector<int> copies(40);
  for (int i = 0; i < 40; ++i) copies[static_cast<std::size_t>(i)] = 40 + i;
  CHECK(std::equal(copies.begin(), copies.end(), chosen.begin() + 40));
}

TEST_CASE("fps begins with the point farthest from the mean and finds every cluster") {
  Matrix x = 1e-3 * random_matrix(600, 8, 15);
  for (int i = 0; i < 600; ++i) x(i, i < 570 ? 0 : 1 + i % 6) += i == 599 ? 3 : 1;
  const std::vector<int> chosen = farthest_points(x, 7);
  CHECK(chosen[0] == 599);
  std::set<int> clusters;
  for (const int i : chosen) clusters.insert(i < 570 ? 0 : 1 + i % 6);
  CHECK(clusters.size() >= 6);  // six small ones and the large one; candidate 599 is far from its cluster
}

TEST_CASE("fps refuses features whose distances overflow") {
  Matrix x = random_matrix(10, 3, 16);
  x(4, 1) = 1e200;
  CHECK(message_of<InputError>([&] { farthest_points(x, 3); }).find("too large") != std::string::npos);
}
