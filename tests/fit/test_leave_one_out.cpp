// The closed form of leaving a structure out, against refits without its rows and sparse points.

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "fit/leave_one_out.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// A sparse GP of two terms with kernels of random features, and a few structures with rows and points of their own.
struct RandomGp {
  static constexpr Eigen::Index sizes[2] = {7, 9}, points = 16;

  std::mt19937_64 random;
  std::vector<Matrix> k_mm;  // of each term, with jitter
  std::vector<Matrix> k;     // kernel rows of each structure, divided by σ
  std::vector<Vector> y;
  std::vector<std::vector<Eigen::Index>> own;  // points of each structure
  std::vector<double> ratio = {1.3, 0.7};

  RandomGp(unsigned seed, const std::vector<Eigen::Index>& rows) : random(seed) {
    std::vector<Matrix> features;
    for (const Eigen::Index size : sizes) {
      features.push_back(uniform(size, 5));
      Matrix kernel = features.back() * features.back().transpose();
      kernel.diagonal().array() += 1e-3;
      k_mm.push_back(kernel);
    }
    for (std::size_t s = 0; s < rows.size(); ++s) {
      Matrix all(rows[s], points);
      all << uniform(rows[s], 5) * features[0].transpose(), uniform(rows[s], 5) * features[1].transpose();
      k.push_back(30 * all);
      y.push_back(40 * uniform(rows[s], 1));
      const auto first = static_cast<Eigen::Index>(s);
      own.push_back(s == 2 ? std::vector<Eigen::Index>{} : std::vector<Eigen::Index>{first, 7 + first, 12 + first});
    }
  }
  Matrix uniform(Eigen::Index n, Eigen::Index m) {
    std::uniform_real_distribution<double> number(-1, 1);
    Matrix result(n, m);
    for (double& x : result.reshaped()) x = number(random);
    return result;
  }
};

/// Plain algebra in the span of the points that are kept.
struct Refit {
  std::vector<Eigen::Index> kept;
  Matrix l;  // of the kept points of both terms
  Vector scale;
  Matrix a;
  Vector mean;

  Refit(const RandomGp& gp, int without, bool keeps_points = false) {
    for (Eigen::Index j = 0; j < RandomGp::points; ++j)
      if (without < 0 || keeps_points || std::count(gp.own[without].begin(), gp.own[without].end(), j) == 0) kept.push_back(j);
    Matrix all = Matrix::Zero(RandomGp::points, RandomGp::points);
    all.topLeftCorner(7, 7) = gp.k_mm[0];
    all.bottomRightCorner(9, 9) = gp.k_mm[1];
    l = all(kept, kept);
    REQUIRE(cholesky(l));
    scale.resize(static_cast<Eigen::Index>(kept.size()));
    for (std::size_t j = 0; j < kept.size(); ++j) scale[static_cast<Eigen::Index>(j)] = gp.ratio[kept[j] < 7 ? 0 : 1];
    a = Matrix::Identity(scale.size(), scale.size());
    Vector b = Vector::Zero(scale.size());
    for (std::size_t s = 0; s < gp.k.size(); ++s) {
      if (static_cast<int>(s) == without) continue;
      const Matrix x = rows(gp, s);
      a += x.transpose() * x;
      b += x.transpose() * gp.y[s];
    }
    mean = a.ldlt().solve(b);
  }
  Matrix rows(const RandomGp& gp, std::size_t s) const {
    const Matrix k = gp.k[s](Eigen::all, kept);
    return l.triangularView<Eigen::Lower>().solve(k.transpose()).transpose() * scale.asDiagonal();
  }
};

struct Posteriors {
  SparseFactor factor;
  Posterior posterior;

  explicit Posteriors(const RandomGp& gp) {
    std::vector<Matrix> blocks = gp.k_mm;
    for (Matrix& block : blocks) REQUIRE(cholesky(block));
    factor = SparseFactor(blocks, {1e-3, 1e-3});
    const Refit all(gp, -1);
    posterior.factor = all.a;
    REQUIRE(cholesky(posterior.factor));
    posterior.mean = all.mean;
    posterior.delta_ratio = gp.ratio;
  }
};

}  // namespace

TEST_CASE("leave one out: errors, variances and novelty equal refits without the rows and points of the structure") {
  // more rows than points in one, and one without points of its own
  for (const unsigned seed : {1u, 2u, 3u}) {
    const RandomGp gp(seed, {3, 25, 6, 1});
    const Posteriors full(gp);
    const Refit all(gp, -1);
    const LeaveOneOut left_out(full.factor, full.posterior);
    for (std::size_t s = 0; s < gp.k.size(); ++s) {
      CAPTURE(s);
      const Refit refit(gp, static_cast<int>(s));
      const Matrix x = refit.rows(gp, s), whole = all.rows(gp, s);
      const auto found = left_out.without({whole, gp.y[s], gp.own[s], {}}, 1e-12);
      REQUIRE(found.has_value());
      const Vector error = gp.y[s] - x * refit.mean;
      const Matrix inverse = refit.a.inverse();
      double worst_error = 0, worst_data = 0, worst_own = 0;
      for (Eigen::Index i = 0; i < x.rows(); ++i) {
        const double data = x.row(i) * inverse * x.row(i).transpose(), own = whole.row(i).squaredNorm() - x.row(i).squaredNorm();
        worst_error = std::max(worst_error, std::abs(found->error[i] - error[i]) / error.norm());
        worst_data = std::max(worst_data, std::abs(found->data[i] / data - 1));
        worst_own = std::max(worst_own, std::abs(found->own[i] - own) / whole.row(i).squaredNorm());
      }
      CHECK(worst_error < 1e-8);
      CHECK(worst_data < 1e-7);
      CHECK(worst_own < 1e-9);
      // there is something to see
      const Vector in_sample = gp.y[s] - whole * full.posterior.mean;
      CHECK((in_sample - error).norm() > 0.02 * error.norm());
      if (s == 2) CHECK(found->own.cwiseAbs().maxCoeff() == 0);
    }
  }
}

TEST_CASE("leave one out: the shift is that of the weights; its effect on a row of another structure that is left out too") {
  const RandomGp gp(7, {3, 25, 6, 1});
  const Posteriors full(gp);
  const Refit all(gp, -1);
  const LeaveOneOut left_out(full.factor, full.posterior);
  std::vector<LeftOutRows> found;
  for (std::size_t s = 0; s < gp.k.size(); ++s) {
    WeightedRows structure{all.rows(gp, s), gp.y[s], gp.own[s], {0}};
    if (s < 3) structure.wanted_weights.push_back(2);
    found.push_back(left_out.without(structure, 1e-12).value());
    const Vector shift = all.mean - Refit(gp, static_cast<int>(s), true).mean;
    CHECK((found.back().shift - shift).norm() <= 1e-9 * shift.norm());
  }
  for (std::size_t s = 0; s < gp.k.size(); ++s) {
    const Refit refit(gp, static_cast<int>(s));
    for (std::size_t t = 0; t < gp.k.size(); ++t) {
      if (t == s) continue;
      CAPTURE(s);
      CAPTURE(t);
      // errors of t that know s
      const Vector error = gp.y[t] - all.rows(gp, t) * Refit(gp, static_cast<int>(t), true).mean;
      const Vector effect = refit.rows(gp, s) * refit.a.ldlt().solve(refit.rows(gp, t).transpose() * error);
      const Vector actual = found[s].weights * found[t].shift;
      CHECK(std::abs(actual[0] - effect[0]) <= 1e-8 * effect.norm());
      if (s < 3) CHECK(std::abs(actual[1] - effect[2]) <= 1e-8 * effect.norm());
    }
  }
}

TEST_CASE("leave one out: a structure that alone determines a direction is absent if rounding decides; NaN is refused") {
  RandomGp gp(3, {3, 2, 6, 1});
  gp.k[1] *= 1e6;  // pivot of 1 − H: about 1e-12 · 1e-3
  const Posteriors full(gp);
  const LeaveOneOut left_out(full.factor, full.posterior);
  WeightedRows structure{Refit(gp, -1).rows(gp, 1), gp.y[1], gp.own[1], {}};
  CHECK_FALSE(left_out.without(structure, 1e-4).has_value());
  structure.target[0] = std::nan("");
  CHECK_THROWS_AS((void)left_out.without(structure, 1e-4), NumericalError);
}
