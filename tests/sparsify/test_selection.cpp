#include <Eigen/SVD>
#include <algorithm>
#include <array>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/sparsify/selection.hpp>
#include <numeric>
#include <set>

#include "candidates.hpp"
#include "sparsify/leverage_scores.hpp"
#include "support/distributions.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Normalised vectors around a few centres, like environments of several phases.
Matrix clustered(int rows, int size, int clusters, unsigned seed) {
  const Matrix centres = random_matrix(clusters, size, seed).cwiseAbs();
  Matrix x = 0.15 * random_matrix(rows, size, seed + 1);
  std::mt19937_64 generator(seed + 2);
  for (int i = 0; i < rows; ++i) {
    x.row(i) += centres.row(static_cast<int>(generator() % static_cast<std::uint64_t>(clusters)));
    x.row(i).normalize();
  }
  return x;
}

std::shared_ptr<const Kernel> dot_product(double zeta) {
  const KernelKind& kind = kernel_kind("dot_product");
  return kind.make(complete_parameters({{"zeta", zeta}}, kind.parameters, "test"));
}

std::shared_ptr<const Kernel> squared_exponential(double theta) {
  const KernelKind& kind = kernel_kind("squared_exponential");
  return kind.make(complete_parameters({{"length_scale", theta}}, kind.parameters, "test"));
}

bool is_distinct(const std::vector<int>& chosen, Eigen::Index candidates) {
  const std::set<int> all(chosen.begin(), chosen.end());
  return all.size() == chosen.size() && (all.empty() || (*all.begin() >= 0 && *all.rbegin() < candidates));
}

bool is_seeded(const std::string& name) {
  return name == "random" || name == "cur";
}

/// Plain pivoted Cholesky of the whole matrix k, one column at a time.
std::vector<int> greedy_reference(Matrix k, int count, double tolerance) {
  std::vector<int> chosen;
  const double first = k.diagonal().maxCoeff();
  while (static_cast<int>(chosen.size()) < count) {
    int best = 0;
    for (int i = 1; i < k.rows(); ++i)
      if (k(i, i) > k(best, best)) best = i;
    if (!(k(best, best) > tolerance * first)) break;
    chosen.push_back(best);
    const Vector column = k.col(best) / std::sqrt(k(best, best));
    k -= column * column.transpose();
    k.row(best).setZero();
    k.col(best).setZero();
  }
  return chosen;
}

/// k(i, j) = f_i κ_ij f_j with κ_ii = 1.
Matrix covariance(const Candidates& c, const Kernel& kernel) {
  Matrix k(c.x.rows(), c.x.rows());
  kernel.compute(c.x, c.x, k);
  REQUIRE(largest_difference(k.diagonal(), Vector::Ones(k.rows())) <= 1e-13);
  k.diagonal().setOnes();  // equal variances: the first candidate must be chosen, independent of rounding
  return c.covariance_cutoff.asDiagonal() * k * c.covariance_cutoff.asDiagonal();
}

}  // namespace

TEST_CASE("every selection: count, distinct, deterministic, seeded, nested, all if more are requested") {
  const auto kernel = squared_exponential(0.5);
  REQUIRE(selection_kinds().size() >= 5);
  for (const auto& kind : selection_kinds())
    for (const int size : {1, 2, 3}) {
      CAPTURE(kind.name);
      CAPTURE(size);
      const Candidates c = as_candidates(random_matrix(200, size, 21));
      SelectionRequest request{.count = 9, .seed = 5, .kernel = kernel.get()};
      const auto chosen = kind.choose(c, request);
      CHECK(chosen.size() == 9);
      CHECK(is_distinct(chosen, 200));
      CHECK(kind.choose(c, request) == chosen);

      const int threads = thread_count();
      set_thread_count(1);
      CHECK(kind.choose(c, request) == chosen);
      set_thread_count(2);
      CHECK(kind.choose(c, request) == chosen);
      set_thread_count(threads);

      SelectionRequest other = request;
      other.seed = 6;
      CHECK((kind.choose(c, other) != chosen) == is_seeded(kind.name));

      for (const int more : {10, 13, 40}) {
        other = request;
        other.count = more;
        const auto larger = kind.choose(c, other);
        CHECK(static_cast<int>(larger.size()) <= more);
        CHECK(is_distinct(larger, 200));
        if (kind.is_nested) CHECK(std::equal(chosen.begin(), chosen.end(), larger.begin()));
      }
      const Candidates few = as_candidates(random_matrix(12, size, 22));
      other.count = 500;
      other.tolerance = 0;
      CHECK(is_distinct(kind.choose(few, other), 12));
      if (kind.name != "variance") CHECK(kind.choose(few, other).size() == 12);  // a singular kernel matrix ends it
    }
}

TEST_CASE("every selection: one candidate, equal candidates, zero features") {
  const auto kernel = squared_exponential(0.5);
  for (const auto& kind : selection_kinds()) {
    CAPTURE(kind.name);
    const SelectionRequest request{.count = 3, .seed = 1, .kernel = kernel.get()};
    CHECK(kind.choose(as_candidates(random_matrix(1, 2, 3)), request) == std::vector<int>{0});
    for (const int size : {1, 3})
      for (const double value : {0.0, 0.5}) {
        const auto chosen = kind.choose(as_candidates(Matrix::Constant(5, size, value)), request);
        CHECK(chosen.size() == (kind.name == "variance" ? 1 : 3));
        CHECK(is_distinct(chosen, 5));
      }
  }
}

TEST_CASE("every selection refuses bad input") {
  const auto kernel = squared_exponential(0.5);
  for (const auto& kind : selection_kinds()) {
    CAPTURE(kind.name);
    const SelectionRequest request{.count = 3, .seed = 1, .kernel = kernel.get()};
    CHECK_THROWS_AS(kind.choose(as_candidates(Matrix(0, 2)), request), InputError);
    CHECK_THROWS_AS(kind.choose(as_candidates(random_matrix(4, 2, 1)), {.count = 0, .kernel = kernel.get()}), InputError);
    Candidates bad = as_candidates(random_matrix(9, 2, 1));
    bad.x(7, 1) = std::nan("");
    CHECK(message_of<InputError>([&] { kind.choose(bad, request); }).find("candidate 7") != std::string::npos);
    CHECK_THROWS_AS(remove_duplicates(bad), InputError);
    bad = as_candidates(random_matrix(9, 2, 1));
    bad.covariance_cutoff.conservativeResize(8);
    CHECK_THROWS_AS(kind.choose(bad, request), InputError);
  }
  CHECK_THROWS_AS(selection_kind("variance").choose(as_candidates(random_matrix(4, 2, 1)), {.count = 2}), InputError);
  CHECK_THROWS_AS(selection_kind("uniform").choose(as_candidates(random_matrix(4, 4, 1)), {.count = 2}), InputError);
  CHECK(message_of<InputError>([] { selection_kind("varianze"); }).find("did you mean 'variance'") != std::string::npos);
}

TEST_CASE("duplicates: the first of each set of near-copies is kept") {
  for (const int size : {1, 3, 40}) {
    CAPTURE(size);
    const Matrix originals = random_matrix(60, size, 31);
    Matrix x(300, size);
    std::mt19937_64 generator(32);
    std::set<int> seen;
    std::vector<int> expected;
    for (int i = 0; i < 300; ++i) {
      const int source = static_cast<int>(generator() % 60);
      if (seen.insert(source).second) expected.push_back(i);
      x.row(i) = originals.row(source);
      for (int d = 0; d < size; ++d) x(i, d) += ((generator() % 2) != 0 ? 1 : -1) * 0.4e-10;  // at most 0.8e-10 apart
    }
    const Candidates c = as_candidates(x);
    CHECK(remove_duplicates(c) == expected);
    CHECK(remove_duplicates(c, 1e-11).size() > expected.size());
    CHECK(remove_duplicates(as_candidates(originals)).size() == 60);
    // exact copies only
    Matrix twice(120, size);
    twice << originals, originals;
    CHECK(remove_duplicates(as_candidates(twice), 0).size() == 60);

    const auto kernel = squared_exponential(1);
    const auto kept = remove_duplicates(c);
    const Candidates unique = as_candidates(c.x(kept, Eigen::all));
    for (const auto& kind : selection_kinds()) {
      if (kind.name == "uniform" && size > 3) continue;
      CAPTURE(kind.name);
      const auto chosen = kind.choose(unique, {.count = 40, .seed = 2, .kernel = kernel.get()});
      for (std::size_t a = 0; a < chosen.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) CHECK((unique.x.row(chosen[a]) - unique.x.row(chosen[b])).cwiseAbs().maxCoeff() > 1e-10);
    }
  }
}

TEST_CASE("duplicates: a difference in any single component counts") {
  const int size = 25;
  Matrix x = random_matrix(1, size, 33).replicate(2 * size + 1, 1);
  for (int d = 0; d < size; ++d) {
    x(1 + 2 * d, d) += 3e-10;
    x(2 + 2 * d, d) += 0.9e-10;
  }
  const auto kept = remove_duplicates(as_candidates(x));
  REQUIRE(kept.size() == static_cast<std::size_t>(size) + 1);
  for (int d = 0; d < size; ++d) CHECK(kept[static_cast<std::size_t>(d) + 1] == 1 + 2 * d);
}

TEST_CASE("duplicates: many near-copies and large numbers cost no quadratic time") {
  Matrix x = Matrix::Constant(100000, 2, 0.25);
  CHECK(remove_duplicates(as_candidates(x)) == std::vector<int>{0});
  for (Eigen::Index i = 0; i < x.rows(); ++i) x(i, 1) = 1e12 * static_cast<double>(i % 1000);
  CHECK(remove_duplicates(as_candidates(x)).size() == 1000);
}

TEST_CASE("random draws every candidate equally often") {
  const Candidates c = as_candidates(random_matrix(10, 1, 41));
  std::vector<int> hits(10, 0);
  for (std::uint64_t seed = 0; seed < 4000; ++seed)
    for (const int i : selection_kind("random").choose(c, {.count = 3, .seed = seed})) ++hits[static_cast<std::size_t>(i)];
  for (const int h : hits) CHECK(std::abs(h - 1200) <= 150);  // five standard deviations: √(4000·0.3·0.7) = 29
}

TEST_CASE("variance equals plain greedy pivoted Cholesky") {
  struct Setup {
    Matrix x;
    std::shared_ptr<const Kernel> kernel;
    int count;
  };
  const std::vector<Setup> setups = {{clustered(700, 40, 6, 51), dot_product(4), 150},
                                     {clustered(500, 12, 3, 52), dot_product(2), 200},
                                     {random_matrix(600, 3, 53), squared_exponential(0.6), 120},
                                     {random_matrix(400, 1, 54), squared_exponential(0.1), 60},
                                     {random_matrix(300, 50, 55), squared_exponential(1.0), 100}};
  for (const auto& setup : setups)
    for (const bool with_covariance_cutoffs : {false, true}) {
      CAPTURE(setup.x.cols());
      CAPTURE(with_covariance_cutoffs);
      const Candidates c = as_candidates(setup.x, with_covariance_cutoffs);
      const double tolerance = 1e-8;
      const auto expected = greedy_reference(covariance(c, *setup.kernel), setup.count, tolerance);
      const auto chosen =
          selection_kind("variance").choose(c, {.count = setup.count, .kernel = setup.kernel.get(), .tolerance = tolerance});
      CHECK(chosen == expected);
      // Each point has the largest variance given the points before.
      Matrix k = covariance(c, *setup.kernel);
      bool is_greedy = true;
      for (const int p : chosen) {
        is_greedy = is_greedy && k(p, p) >= k.diagonal().maxCoeff() - 1e-11;
        const Vector column = k.col(p) / std::sqrt(k(p, p));
        k -= column * column.transpose();
      }
      CHECK(is_greedy);
    }
}

TEST_CASE("variance stops where the kernel matrix has no more rank") {
  // (x·x')² of 3 components spans 6 dimensions
  const auto kernel = dot_product(2);
  const auto chosen = selection_kind("variance").choose(as_candidates(random_matrix(100, 3, 56)), {.count = 50, .kernel = kernel.get()});
  CHECK(chosen.size() == 6);
  Candidates none = as_candidates(random_matrix(5, 3, 57));
  none.covariance_cutoff.setZero();
  CHECK_THROWS_AS(selection_kind("variance").choose(none, {.count = 2, .kernel = kernel.get()}), InputError);
}

TEST_CASE("leverage scores equal those of the singular value decomposition") {
  using Shape = std::array<int, 3>;
  for (const Shape& shape : {Shape{60, 12, 12}, {60, 12, 7}, {15, 30, 15}, {20, 20, 9}, {5, 1, 1}}) {
    const int rows = shape[0], size = shape[1], rank = shape[2];
    CAPTURE(rows);
    CAPTURE(size);
    CAPTURE(rank);
    const Matrix x = rank == std::min(rows, size) ? random_matrix(rows, size, 61)
                                                  : Matrix(random_matrix(rows, rank, 61) * random_matrix(rank, size, 62));
    const Eigen::JacobiSVD<Eigen::MatrixXd> svd(x, Eigen::ComputeThinU);
    const int k = (rank + 1) / 2;
    const Vector expected = svd.matrixU().leftCols(k).rowwise().squaredNorm();
    const Vector scores = leverage_scores(x);
    CHECK(largest_difference(scores, expected) <= 1e-10);
    check_close(scores.sum(), k, 1e-10);

    const Candidates c = as_candidates(x);
    const auto chosen = selection_kind("cur_deterministic").choose(c, {.count = 4});
    for (std::size_t i = 1; i < chosen.size(); ++i) CHECK(scores[chosen[i - 1]] >= scores[chosen[i]]);
    std::vector<double> sorted(scores.begin(), scores.end());
    std::sort(sorted.rbegin(), sorted.rend());
    CHECK(is_close(scores[chosen[3]], sorted[3], 1e-12));
  }
}

TEST_CASE("cur takes the first point with a probability proportional to its score") {
  const Matrix x = random_matrix(12, 4, 63);
  const Vector scores = leverage_scores(x);
  const Candidates c = as_candidates(x);
  const int draws = 4000;
  Vector hits = Vector::Zero(12);
  for (std::uint64_t seed = 0; seed < draws; ++seed) ++hits[selection_kind("cur").choose(c, {.count = 1, .seed = seed})[0]];
  const Vector expected = scores / scores.sum();
  for (int i = 0; i < 12; ++i) check_close(hits[i] / draws, expected[i], 5 * std::sqrt(expected[i] / draws));
}

TEST_CASE("uniform in one dimension takes the candidates nearest to equally spaced points") {
  // A dense part and a tail: the tail must not be missed.
  Matrix x(1000, 1);
  for (int i = 0; i < 1000; ++i) x(i, 0) = i < 990 ? 1 + 1e-3 * i : 2 + 0.3 * (i - 989);
  const double low = x.minCoeff(), high = x.maxCoeff();
  const auto chosen = selection_kind("uniform").choose(as_candidates(x), {.count = 11});
  REQUIRE(chosen.size() == 11);
  CHECK(chosen.front() == 0);
  CHECK(chosen.back() == 999);
  for (std::size_t m = 0; m < chosen.size(); ++m) {
    const double target = low + (high - low) * static_cast<double>(m) / 10;
    CHECK(std::abs(x(chosen[m], 0) - target) <= (x.array() - target).abs().minCoeff() + 1e-12);
  }
  // Two grid points near one candidate: the second takes the next free one.
  Matrix gap(4, 1);
  gap << 0, 0.1, 0.2, 10;
  CHECK(is_distinct(selection_kind("uniform").choose(as_candidates(gap), {.count = 3}), 4));
  CHECK(selection_kind("uniform").choose(as_candidates(gap), {.count = 3}) == std::vector<int>{0, 2, 3});
}

TEST_CASE("uniform in two and three dimensions spreads over the occupied cells") {
  for (const int size : {2, 3}) {
    CAPTURE(size);
    // Almost all candidates in one corner, the rest all over the unit cube.
    std::mt19937_64 generator(71);
    test::Uniform uniform(0, 1);
    Matrix x(5000, size);
    for (int i = 0; i < 5000; ++i)
      for (int d = 0; d < size; ++d) x(i, d) = (i % 10 == 0 ? 1.0 : 0.1) * uniform(generator);
    const auto chosen = selection_kind("uniform").choose(as_candidates(x), {.count = 60});
    REQUIRE(chosen.size() == 60);
    CHECK(is_distinct(chosen, 5000));
    const auto in_corner = std::count_if(chosen.begin(), chosen.end(), [&](int i) { return x.row(i).maxCoeff() < 0.1; });
    CHECK(in_corner <= 15);
  }
}
