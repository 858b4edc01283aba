// Jacobian and pullback of every descriptor in the table, against finite differences and against each other.

#include <algorithm>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/descriptor.hpp>
#include <gapkit/math/linear_algebra.hpp>

#include "descriptors/samples.hpp"
#include "support/distributions.hpp"
#include "support/jacobian.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

Matrix features_of(const Descriptor& descriptor, const Structure& s, std::vector<double>* covariance_cutoff = nullptr) {
  const StructureEnvironments environments(s, descriptor.cutoff());
  Features features;
  descriptor.compute(environments.view(), 0, s.size(), Derivatives::none, features);
  if (covariance_cutoff) *covariance_cutoff = features.covariance_cutoff;
  return features.x.view();
}

// Dense dx_e/dr_a [E, D] for one atom and component, assembled from the pair Jacobian.
Matrix assembled(const Features& f, Eigen::Index size, int atom, int component, std::vector<double>* covariance_cutoff) {
  Matrix result = Matrix::Zero(f.size(), size);
  if (covariance_cutoff) covariance_cutoff->assign(static_cast<std::size_t>(f.size()), 0.0);
  for (const JacobianBlock& b : f.blocks)
    for (std::size_t q = 0; q < b.environment.size(); ++q) {
      const int e = b.environment[q];
      double sign = 0;
      if (b.neighbor[q] == atom) sign += 1;
      if (f.centre[static_cast<std::size_t>(e)] == atom) sign -= 1;
      if (sign == 0) continue;
      const auto row = static_cast<Eigen::Index>(3 * q) + component;
      result.row(e) += sign * jacobian_row(b, q, static_cast<std::size_t>(component), size).transpose();
      result.row(e) -= sign * b.projection[static_cast<std::size_t>(row)] * f.x.view().row(e);
      if (covariance_cutoff && !b.cutoff_gradient.empty())
        (*covariance_cutoff)[static_cast<std::size_t>(e)] += sign * b.cutoff_gradient[static_cast<std::size_t>(row)];
    }
  return result;
}

}  // namespace

TEST_CASE("every descriptor: Jacobian equals central differences") {
  for (const unsigned seed : {1u, 2u}) {
    const Structure structure = random_triclinic(seed == 1 ? 7 : 2, seed, {6, 14});
    for (const Sample& sample : samples({6, 14})) {
      CAPTURE(sample.label);
      CAPTURE(seed);
      const StructureEnvironments environments(structure, sample.descriptor->cutoff());
      Features features;
      sample.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, features);
      if (features.size() == 0) continue;
      double largest = 0, worst = 0;
      for (int atom = 0; atom < structure.size(); ++atom)
        for (int component = 0; component < 3; ++component) {
          const double h = 1e-4;
          Structure plus = structure, minus = structure;
          plus.positions(atom, component) += h;
          minus.positions(atom, component) -= h;
          std::vector<double> fp, fm, df;
          const Matrix xp = features_of(*sample.descriptor, plus, &fp), xm = features_of(*sample.descriptor, minus, &fm);
          REQUIRE(xp.rows() == features.size());  // no neighbour crosses the cutoff
          const Matrix analytic = assembled(features, sample.descriptor->size(), atom, component, &df);
          largest = std::max(largest, analytic.cwiseAbs().maxCoeff());
          const double d = largest_difference(Matrix((xp - xm) / (2 * h)), analytic);
          worst = worse(worst, d);
          for (std::size_t e = 0; e < df.size(); ++e) worst = worse(worst, std::abs((fp[e] - fm[e]) / (2 * h) - df[e]));
        }
      bool moves = false;  // images of the centre move with it
      for (const JacobianBlock& block : features.blocks)
        for (std::size_t q = 0; q < block.environment.size(); ++q)
          moves = moves || block.neighbor[q] != features.centre[static_cast<std::size_t>(block.environment[q])];
      if (moves) CHECK(largest > 1e-4);
      CHECK(worst <= 1e-6 + 1e-6 * largest);
    }
  }
}

TEST_CASE("every descriptor: pullback equals the Jacobian's transpose, and values do not depend on the derivatives") {
  const Structure structure = random_triclinic(6, 5, {6, 14});
  std::mt19937_64 random(3);
  test::Normal normal;
  for (const Sample& sample : samples({6, 14})) {
    CAPTURE(sample.label);
    const Descriptor& d = *sample.descriptor;
    const StructureEnvironments environments(structure, d.cutoff() + 0.7);  // a list beyond the cutoff
    const Environments& view = environments.view();
    Features with_jacobian, with_pullback, plain;
    d.compute(view, 0, structure.size(), Derivatives::jacobian, with_jacobian);
    d.compute(view, 0, structure.size(), Derivatives::pullback, with_pullback);
    d.compute(view, 0, structure.size(), Derivatives::none, plain);
    CHECK(largest_difference(with_jacobian.x.view(), plain.x.view()) == 0);
    CHECK(largest_difference(with_pullback.x.view(), plain.x.view()) == 0);
    const Eigen::Index n = plain.size();
    if (n == 0) continue;
    Matrix g(n, d.size());
    std::vector<double> gf(static_cast<std::size_t>(n));
    for (Eigen::Index i = 0; i < g.size(); ++i) g.data()[i] = normal(random);
    for (double& v : gf) v = normal(random);
    std::vector<Vector3> out(view.neighbor.size(), Vector3::Zero());
    d.pullback(view, 0, structure.size(), with_pullback, {g, gf}, out);
    Positions forces = Positions::Zero(structure.size(), 3), expected = forces;
    for (int c = 0; c < view.size(); ++c)
      for (std::size_t p = view.begin[static_cast<std::size_t>(c)]; p < view.begin[static_cast<std::size_t>(c) + 1]; ++p) {
        forces.row(view.neighbor[p]) += out[p].transpose();
        forces.row(c) -= out[p].transpose();
      }
    for (int a = 0; a < structure.size(); ++a)
      for (int k = 0; k < 3; ++k) {
        std::vector<double> df;
        expected(a, k) = assembled(with_jacobian, d.size(), a, k, &df).cwiseProduct(g).sum();
        for (std::size_t e = 0; e < df.size(); ++e) expected(a, k) += df[e] * gf[e];
      }
    CHECK(largest_difference(forces, expected) <= 1e-10 * (1 + expected.cwiseAbs().maxCoeff()));
  }
}

TEST_CASE("every descriptor: rotation, translation and chunks do not change features") {
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Structure structure = random_triclinic(6, seed, {6, 14});
    Structure moved = rotated(structure, seed + 10);
    moved.positions.rowwise() += Eigen::RowVector3d(3.1, -20.7, 0.2);
    for (const Sample& sample : samples({6, 14})) {
      CAPTURE(sample.label);
      const Matrix x = features_of(*sample.descriptor, structure);
      CHECK(largest_difference(features_of(*sample.descriptor, moved), x) <= 1e-9 * (1 + (x.size() ? x.cwiseAbs().maxCoeff() : 0)));
      const StructureEnvironments environments(structure, sample.descriptor->cutoff());
      Features first, second;
      sample.descriptor->compute(environments.view(), 0, 2, Derivatives::jacobian, first);
      sample.descriptor->compute(environments.view(), 2, structure.size(), Derivatives::jacobian, second);
      REQUIRE(first.size() + second.size() == x.rows());
      const double rounding = sample.descriptor->feature_map() ? 1e-13 : 0;  // of a matrix product
      if (first.size()) CHECK(largest_difference(first.x.view(), x.topRows(first.size())) <= rounding);
      if (second.size()) CHECK(largest_difference(second.x.view(), x.bottomRows(second.size())) <= rounding);
    }
  }
}

TEST_CASE("every descriptor: one thread and two give the same features and Jacobian") {
  const int threads = thread_count();
  const Structure structure = random_triclinic(9, 4, {6, 14});
  for (const Sample& sample : samples({6, 14})) {
    CAPTURE(sample.label);
    const StructureEnvironments environments(structure, sample.descriptor->cutoff());
    Features one, two;
    set_thread_count(1);
    sample.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, one);
    set_thread_count(2);
    sample.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, two);
    set_thread_count(threads);
    CHECK(largest_difference(one.x.view(), two.x.view()) == 0);
    for (std::size_t b = 0; b < one.blocks.size(); ++b) {
      CHECK(one.blocks[b].neighbor == two.blocks[b].neighbor);
      CHECK(largest_difference(one.blocks[b].values.view(), two.blocks[b].values.view()) == 0);
      CHECK(largest_difference(one.blocks[b].radial.view(), two.blocks[b].radial.view()) == 0);
      CHECK(largest_difference(one.blocks[b].direction.view(), two.blocks[b].direction.view()) == 0);
    }
  }
}

TEST_CASE("every descriptor: the covariance cutoff follows from the features") {
  const Structure structure = random_triclinic(6, 8, {6, 14});
  for (const Sample& sample : samples({6, 14})) {
    CAPTURE(sample.label);
    std::vector<double> covariance_cutoff;
    const Matrix x = features_of(*sample.descriptor, structure, &covariance_cutoff);
    for (Eigen::Index e = 0; e < x.rows(); ++e)
      check_close(sample.descriptor->covariance_cutoff({x.data() + e * x.cols(), static_cast<std::size_t>(x.cols())}),
                  covariance_cutoff[static_cast<std::size_t>(e)], 1e-12);
    std::vector<double> unknown(static_cast<std::size_t>(sample.descriptor->size()), std::nan(""));
    if (sample.descriptor->domain_points(1).rows() > 0) CHECK_FALSE(sample.descriptor->covariance_cutoff(unknown) <= 1);
  }
}

TEST_CASE("every descriptor of few dimensions: domain points are reachable and lie near every environment") {
  const Structure structure = random_triclinic(40, 12, {6, 14});
  for (const Sample& sample : samples({6, 14})) {
    CAPTURE(sample.label);
    const Descriptor& d = *sample.descriptor;
    const Matrix points = d.domain_points(4000);
    if (sample.label.find("soap") != std::string::npos || d.chosen_functions()) continue;
    REQUIRE(points.rows() > 0);
    REQUIRE(points.rows() <= 4000);
    REQUIRE(points.allFinite());
    CHECK(points.col(0).minCoeff() < 0.2);
    const Matrix x = features_of(d, structure);
    // Squared differences span up to cutoff²; in units of their range every environment has a point within 0.06.
    const Eigen::RowVectorXd range = points.colwise().maxCoeff() - points.colwise().minCoeff();
    for (Eigen::Index e = 0; e < x.rows(); ++e) {
      const auto distance = ((points.rowwise() - x.row(e)).array().rowwise() / range.array()).matrix().rowwise().norm();
      REQUIRE(distance.minCoeff() <= 0.06);
    }
    if (d.size() != 3) continue;
    for (Eigen::Index i = 0; i < points.rows(); ++i) {
      const double difference = std::sqrt(points(i, 1));
      CHECK(0.5 * (points(i, 0) + difference) <= d.cutoff() * (1 + 1e-12));
      CHECK(points(i, 2) >= difference * (1 - 1e-12));
      CHECK(points(i, 2) <= points(i, 0) * (1 + 1e-12));
    }
  }
}

TEST_CASE("three_body: each unordered triplet once, images of one atom are different neighbours, the centre stands first") {
  // Two atoms per cell of 3 Å: an A sees 6 images of A at 3 Å, one B at 1.5 Å on each side.
  Structure structure;
  structure.cell = Matrix3(3.0 * Matrix3::Identity());
  structure.pbc = {true, true, true};
  structure.atomic_numbers = {6, 14};
  structure.positions.resize(2, 3);
  structure.positions << 0, 0, 0, 1.5, 0, 0;
  const StructureEnvironments environments(structure, 3.2);
  const auto count = [&](const std::vector<int>& species) {
    const auto& kind = descriptor_kind("three_body");
    const auto d = kind.make({{"cutoff", 3.2}, {"cutoff_width", 0.5}}, species, {6, 14});
    Features features;
    d->compute(environments.view(), 0, 2, Derivatives::none, features);
    for (const int c : features.centre) CHECK(structure.atomic_numbers[static_cast<std::size_t>(c)] == species[0]);
    return features.size();
  };
  CHECK(count({6, 6, 6}) == 15);   // 6 · 5 / 2
  CHECK(count({6, 6, 14}) == 12);  // 6 · 2
  CHECK(count({6, 14, 14}) == 1);
  CHECK(count({14, 6, 6}) == 1);
  CHECK_THROWS_AS(count({6, 14, 6}), InputError);
  CHECK_THROWS_AS(count({6, 14}), InputError);
}

TEST_CASE("the cutoff function is smooth and its derivative equals central differences") {
  for (const double r : {0.5, 2.99, 3.01, 3.4, 3.999, 4.001, 5.0}) {
    CAPTURE(r);
    const double h = 1e-6;
    check_close(cutoff_derivative(r, 4, 1), (cutoff_value(r + h, 4, 1) - cutoff_value(r - h, 4, 1)) / (2 * h), 1e-8);
  }
  CHECK(cutoff_value(3, 4, 1) == 1);
  CHECK(cutoff_value(4, 4, 1) == 0);
  check_close(cutoff_value(3.5, 4, 1), 0.5, 1e-15);
}

TEST_CASE("mixed channels: all channels give the plain products of features for any seed; fewer give fewer features") {
  const std::vector<int> elements = {6, 14};
  const DescriptorKind& kind = descriptor_kind("soap");
  const auto make = [&](std::int64_t mixed, std::int64_t seed) {
    const Parameters p = {
        {"cutoff", 4.0}, {"n_max", std::int64_t{3}}, {"l_max", std::int64_t{2}}, {"mixed_channels", mixed}, {"mixing_seed", seed}};
    return kind.make(complete_parameters(p, kind.parameters, "test"), {14}, elements);
  };
  const Structure s = random_triclinic(9, 12, elements);
  const Matrix plain = features_of(*make(0, 0), s);
  for (const std::int64_t seed : {0, 1}) {
    // An orthogonal mixture of all channels rotates the power spectrum and keeps scalar products.
    const Matrix all = features_of(*make(6, seed), s);
    CHECK(all.cols() == plain.cols());
    CHECK(largest_difference(Matrix(all * all.transpose()), Matrix(plain * plain.transpose())) <= 1e-12);
    CHECK(largest_difference(all, plain) > 0.01);
  }
  CHECK(make(4, 0)->size() == 3 * 10);
  CHECK(largest_difference(features_of(*make(4, 0), s), features_of(*make(4, 1), s)) > 0.01);
  CHECK(largest_difference(features_of(*make(60, 1), s), features_of(*make(6, 1), s)) == 0);  // limited to the number of channels
}

TEST_CASE("undivided spectrum: features of l are √(2l+1) times as large, before they are normalised") {
  const DescriptorKind& kind = descriptor_kind("soap");
  const int l_max = 3;
  const auto make = [&](bool undivided) {
    const Parameters p = {{"cutoff", 4.0}, {"n_max", std::int64_t{2}}, {"l_max", std::int64_t{l_max}}, {"undivided_spectrum", undivided}};
    return kind.make(complete_parameters(p, kind.parameters, "test"), {14}, {6, 14});
  };
  const Structure s = random_triclinic(9, 12, {6, 14});
  Matrix expected = features_of(*make(false), s);
  for (Eigen::Index i = 0; i < expected.cols(); ++i) expected.col(i) *= std::sqrt(2.0 * (i % (l_max + 1)) + 1);
  expected.rowwise().normalize();
  CHECK(largest_difference(features_of(*make(true), s), expected) <= 1e-12);
}

TEST_CASE("every descriptor: no remains of another one in reused memory") {
  const Structure structure = random_triclinic(5, 6, {6, 14});
  const auto all = samples({6, 14});
  Features reused;
  for (const Sample& before : all)
    for (const Sample& sample : all) {
      CAPTURE(before.label);
      CAPTURE(sample.label);
      const StructureEnvironments first(structure, before.descriptor->cutoff()), second(structure, sample.descriptor->cutoff());
      before.descriptor->compute(first.view(), 0, structure.size(), Derivatives::jacobian, reused);
      sample.descriptor->compute(second.view(), 0, structure.size(), Derivatives::jacobian, reused);
      Features fresh;
      sample.descriptor->compute(second.view(), 0, structure.size(), Derivatives::jacobian, fresh);
      REQUIRE(reused.size() == fresh.size());
      CHECK(largest_difference(assembled(reused, sample.descriptor->size(), 1, 2, nullptr),
                               assembled(fresh, sample.descriptor->size(), 1, 2, nullptr)) == 0);
      for (std::size_t b = 0; b < fresh.blocks.size(); ++b) CHECK(reused.blocks[b].pair == fresh.blocks[b].pair);
    }
}

TEST_CASE("features of distances only have a separate part in the Jacobian: fewer rows, no overlap") {
  const Structure structure = random_triclinic(6, 2, {6, 14});
  int found = 0;
  for (const Sample& sample : samples({6, 14})) {
    CAPTURE(sample.label);
    const StructureEnvironments environments(structure, sample.descriptor->cutoff());
    Features features;
    sample.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, features);
    for (const JacobianBlock& block : features.blocks) {
      if (block.radial_feature.empty()) continue;
      ++found;
      std::vector<int> all = block.feature;
      all.insert(all.end(), block.radial_feature.begin(), block.radial_feature.end());
      std::sort(all.begin(), all.end());
      CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
      CHECK(block.values.cols() == static_cast<Eigen::Index>(block.feature.size()));
      CHECK(block.direction.rows() == features.size() * block.radial.cols());
    }
  }
  CHECK(found >= 10);
}

TEST_CASE("short forms: orthonormal columns span all features and derivatives, so products stay the same") {
  int found = 0;
  for (const unsigned seed : {3u, 4u}) {
    const Structure structure = random_triclinic(6, seed, {6, 14});
    for (const Sample& sample : samples({6, 14})) {
      CAPTURE(sample.label);
      const auto [shortened, points] = sample.descriptor->short_form();
      if (!shortened) continue;
      const Matrix u = points(Matrix::Identity(sample.descriptor->size(), sample.descriptor->size()));
      ++found;
      CHECK(shortened->size() < sample.descriptor->size());
      CHECK(shortened->species() == sample.descriptor->species());
      CHECK(shortened->cutoff() == sample.descriptor->cutoff());
      CHECK(sample.descriptor->short_form().descriptor == shortened);  // kept
      REQUIRE(u.rows() == sample.descriptor->size());
      REQUIRE(u.cols() == shortened->size());
      CHECK(largest_difference(Matrix(u.transpose() * u), Matrix::Identity(u.cols(), u.cols())) < 1e-14);
      const StructureEnvironments environments(structure, sample.descriptor->cutoff());
      Features whole, few;
      sample.descriptor->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, whole);
      shortened->compute(environments.view(), 0, structure.size(), Derivatives::jacobian, few);
      CHECK(largest_difference(Matrix(few.x.view() * u.transpose()), whole.x.view()) < 1e-11);
      for (int atom = 0; atom < structure.size(); ++atom)
        for (int component = 0; component < 3; ++component)
          CHECK(largest_difference(Matrix(assembled(few, shortened->size(), atom, component, nullptr) * u.transpose()),
                                   assembled(whole, sample.descriptor->size(), atom, component, nullptr)) < 1e-9);
    }
  }
  CHECK(found >= 6);
}

TEST_CASE("a map of features passes single precision on to its descriptor") {
  const Structure structure = random_triclinic(5, 8, {6, 14});
  const auto& kind = descriptor_kind("soap");
  const auto base = kind.make(complete_parameters({{"cutoff", 4.0}}, kind.parameters, "test"), {14}, {6, 14});
  const auto mapped = some_map_of(base, 9);
  const StructureEnvironments environments(structure, mapped->cutoff());
  Features full, single;
  single.single_precision = true;
  mapped->compute(environments.view(), 0, structure.size(), Derivatives::pullback, full);
  mapped->compute(environments.view(), 0, structure.size(), Derivatives::pullback, single);
  REQUIRE(full.size() > 0);
  const double difference = largest_difference(full.x.view(), single.x.view());
  CHECK(difference > 0);
  CHECK(difference <= 1e-5 * full.x.view().cwiseAbs().maxCoeff());
}
