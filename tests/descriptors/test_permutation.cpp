// Features and derivatives do not depend on the order of the atoms.

#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/math/random_stream.hpp>

#include "descriptors/samples.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Atom order[i] of the structure becomes atom i.
Structure permuted(const Structure& structure, const std::vector<int>& order) {
  Structure result = structure;
  for (std::size_t i = 0; i < order.size(); ++i) {
    result.atomic_numbers[i] = structure.atomic_numbers[static_cast<std::size_t>(order[i])];
    result.positions.row(static_cast<Eigen::Index>(i)) = structure.positions.row(order[i]);
  }
  return result;
}

// Environments with their covariance cutoffs, and the gradient by the atoms' positions of Σ_e f_e sin(w·x_e), atom by atom.
struct Described {
  std::vector<Matrix> environments;  // of each atom: features and cutoff of each environment
  Positions gradient;

  Described(const Descriptor& d, const Structure& s)
      : environments(static_cast<std::size_t>(s.size()), Matrix(0, d.size() + 1)), gradient(Positions::Zero(s.size(), 3)) {
    const StructureEnvironments list(s, d.cutoff());
    const Environments& view = list.view();
    Features f;
    d.compute(view, 0, s.size(), Derivatives::pullback, f);
    const Vector w = Vector::LinSpaced(d.size(), 0.4, 1.3);
    Matrix dE_dx(f.size(), d.size());
    std::vector<double> dE_df(static_cast<std::size_t>(f.size()));
    for (int e = 0; e < f.size(); ++e) {
      const auto i = static_cast<std::size_t>(e);
      const Vector x = f.x.view().row(e).transpose();
      Matrix& mine = environments[static_cast<std::size_t>(f.centre[i])];
      mine.conservativeResize(mine.rows() + 1, Eigen::NoChange);
      mine.bottomRows(1) << x.transpose(), f.covariance_cutoff[i];
      dE_df[i] = std::sin(w.dot(x));
      dE_dx.row(e) = f.covariance_cutoff[i] * std::cos(w.dot(x)) * w.transpose();
    }
    std::vector<Vector3> dE_dr(view.neighbor.size(), Vector3::Zero());
    d.pullback(view, 0, s.size(), f, {dE_dx, dE_df}, dE_dr);
    for (int c = 0; c < view.size(); ++c)
      for (std::size_t p = view.begin[static_cast<std::size_t>(c)]; p < view.begin[static_cast<std::size_t>(c) + 1]; ++p) {
        gradient.row(view.neighbor[p]) += dE_dr[p].transpose();
        gradient.row(view.centre[static_cast<std::size_t>(c)]) -= dE_dr[p].transpose();
      }
  }
};

// Whether two lists hold the same rows, in any order.
bool same_rows(Matrix a, const Matrix& b, double tolerance) {
  if (a.rows() != b.rows()) return false;
  for (Eigen::Index i = 0; i < b.rows(); ++i) {
    Eigen::Index found = i;
    while (found < a.rows() && !(largest_difference(a.row(found), b.row(i)) <= tolerance)) ++found;
    if (found == a.rows()) return false;
    a.row(i).swap(a.row(found));
  }
  return true;
}

}  // namespace

TEST_CASE("every descriptor: features do not depend on the order of the atoms") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Structure structure = random_triclinic(7, seed, {6, 14});
    std::vector<int> order = {0, 1, 2, 3, 4, 5, 6};
    RandomStream random{.seed = seed};
    shuffle(order, random);
    REQUIRE(order != std::vector<int>{0, 1, 2, 3, 4, 5, 6});
    const Structure other = permuted(structure, order);
    for (const Sample& sample : samples({6, 14})) {
      CAPTURE(sample.label);
      const Described before(*sample.descriptor, structure), after(*sample.descriptor, other);
      for (std::size_t i = 0; i < order.size(); ++i) {
        const auto from = static_cast<std::size_t>(order[i]);
        CHECK(same_rows(after.environments[i], before.environments[from], 1e-10));
        CHECK(largest_difference(after.gradient.row(static_cast<Eigen::Index>(i)), before.gradient.row(order[i])) <= 1e-9);
      }
    }
  }
}
