// Sufficient statistics: they add up, and batches leave no trace.

#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>

#include "fit/statistics_builder.hpp"
#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct StatisticsSetup {
  FitConfiguration options;
  Model model;  // terms, factor and reference energies of a fit
  std::vector<Structure> frames;
};

StatisticsSetup make_setup(const TemporaryFolder& folder) {
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 8; ++seed) frames.push_back(labelled(random_triclinic(5, seed, {6, 14}), seed > 5 ? "late" : "early"));
  frames[1].set_field("energy_sigma", 0.02);
  frames[6].set_field("force_sigma", 0.3);
  StatisticsSetup setup;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), frames);
  setup.options = small_options(train, {small_two_body(0.6, 8), small_soap(2, 2, 3, 12)});
  setup.options.regularization.config_type["late"] = {0.03, 0.2, 0.4};
  setup.model = fit(setup.options).model;
  setup.frames = read_targets(train);
  return setup;
}

SufficientStatistics statistics_of(const StatisticsSetup& setup, std::size_t first, std::size_t last,
                                   const std::string& fingerprint = "a") {
  const Regularization regularization(setup.options);
  StatisticsBuilder builder(setup.model.factor, regularization.groups(), fingerprint);
  KernelRows kernel(setup.model.terms);
  for (std::size_t i = first; i < last; ++i) {
    const Structure& s = setup.frames[i];
    const RowTargets targets = regularization.row_targets(s, setup.model.reference_energies);
    const StructureEnvironments environments(s, setup.model.cutoff());
    kernel.compute(environments.view(), s.size(), targets.wanted, builder.reserve(static_cast<Eigen::Index>(targets.value.size())));
    builder.add(targets);
  }
  return builder.finish();
}

const GroupStatistics* find(const SufficientStatistics& statistics, const RowGroup& group) {
  for (const GroupStatistics& g : statistics.groups)
    if (g.group.same_rows(group)) return &g;
  return nullptr;
}

void check_equal(const SufficientStatistics& actual, const SufficientStatistics& expected, double tolerance) {
  REQUIRE(actual.groups.size() == expected.groups.size());
  CHECK(actual.row_count() == expected.row_count());
  for (const GroupStatistics& e : expected.groups) {
    CAPTURE(property_name(e.group.property));
    CAPTURE(e.group.config_class);
    CAPTURE(e.group.fixed);
    const GroupStatistics* a = find(actual, e.group);
    REQUIRE(a);
    CHECK(a->count == e.count);
    CHECK(a->group.sigma == e.group.sigma);
    const Matrix gram = e.gram.dense();
    CHECK(gram.cwiseAbs().maxCoeff() > 0);
    CHECK(largest_difference(a->gram.dense(), gram) <= tolerance * gram.cwiseAbs().maxCoeff());
    CHECK(largest_difference(a->moment, e.moment) <= tolerance * e.moment.cwiseAbs().maxCoeff());
    check_close(a->target_square, e.target_square, 0, tolerance);
    check_close(a->log_weight, e.log_weight, tolerance, tolerance);
  }
}

}  // namespace

TEST_CASE("added statistics of two halves of the data equal the statistics of the whole") {
  const TemporaryFolder folder;
  const StatisticsSetup setup = make_setup(folder);
  const std::size_t n = setup.frames.size();
  const SufficientStatistics whole = statistics_of(setup, 0, n);
  REQUIRE(whole.groups.size() == 8);  // two classes and two kinds of fixed rows
  for (const std::size_t cut : {std::size_t{1}, n / 2, n - 1}) {
    CAPTURE(cut);
    SufficientStatistics forwards = statistics_of(setup, 0, cut), backwards = statistics_of(setup, cut, n);
    const SufficientStatistics first = forwards;
    forwards += backwards;
    backwards += first;
    check_equal(forwards, whole, 1e-12);
    check_equal(backwards, whole, 1e-12);
    const std::vector<double> scale(setup.model.terms.size(), 1.0);
    const Posterior sum = solve_posterior(forwards, setup.model.factor, scale), all = solve_posterior(whole, setup.model.factor, scale);
    CHECK(largest_difference(sum.mean, all.mean) <= 1e-9 * all.mean.cwiseAbs().maxCoeff());
    check_close(sum.log_evidence, all.log_evidence, 0, 1e-10);
  }
  // The fit itself goes the same way.
  const Posterior posterior = solve_posterior(whole, setup.model.factor, std::vector<double>(setup.model.terms.size(), 1.0));
  CHECK(largest_difference(posterior.mean, setup.model.posterior.mean) <= 1e-9 * posterior.mean.cwiseAbs().maxCoeff());
}

TEST_CASE("statistics with another fingerprint are not added") {
  const TemporaryFolder folder;
  const StatisticsSetup setup = make_setup(folder);
  SufficientStatistics a = statistics_of(setup, 0, 2, "a");
  const SufficientStatistics before = a, b = statistics_of(setup, 2, 4, "b");
  CHECK(message_of<InputError>([&] { a += b; }).size() > 20);
  check_equal(a, before, 0);
}

TEST_CASE("other sigmas at the solution equal a fit with those sigmas") {
  const TemporaryFolder folder;
  StatisticsSetup setup = make_setup(folder);
  const SufficientStatistics statistics = statistics_of(setup, 0, setup.frames.size());
  std::vector<double> sigma;
  for (const GroupStatistics& g : statistics.groups) sigma.push_back(3 * g.group.sigma);
  const std::vector<double> scale(setup.model.terms.size(), 1.0);
  const Posterior changed = solve_posterior(statistics, setup.model.factor, scale, &sigma);
  for (SigmaOptions* s : {&setup.options.regularization.standard, &setup.options.regularization.config_type["late"]})
    for (const TargetInfo& target : targets()) (*s)[target.property] *= 3;
  const Posterior fitted = fit(setup.options).model.posterior;
  CHECK(largest_difference(changed.mean, fitted.mean) <= 1e-9 * fitted.mean.cwiseAbs().maxCoeff());
  check_close(changed.log_evidence, fitted.log_evidence, 0, 1e-10);
  REQUIRE(changed.groups.size() == fitted.groups.size());
  for (std::size_t i = 0; i < changed.groups.size(); ++i) check_close(changed.groups[i].sigma, fitted.groups[i].sigma, 0, 1e-15);
  CHECK(largest_difference(changed.mean, setup.model.posterior.mean) > 1e-3 * fitted.mean.cwiseAbs().maxCoeff());
}

TEST_CASE("batches of rows leave no trace, a structure larger than a batch included") {
  constexpr Eigen::Index size = 6;
  std::mt19937 random(9);
  test::Normal normal;
  const auto random_matrix = [&](Eigen::Index rows) {
    Matrix m(rows, size);
    for (Eigen::Index i = 0; i < m.size(); ++i) m.data()[i] = normal(random);
    return m;
  };
  Matrix lower = random_matrix(size).triangularView<Eigen::Lower>();
  lower.diagonal().array() = 2 + lower.diagonal().array().abs();
  const SparseFactor factor({lower}, {0.0});
  const std::vector<RowGroup> groups = {
      {Property::energy, "default", false, 1}, {Property::force, "default", false, 1}, {Property::virial, "default", false, 1}};
  StatisticsBuilder builder(factor, groups, "");
  const Eigen::Index batch = StatisticsBuilder::batch_rows(size);
  std::vector<Matrix> gram(3, Matrix::Zero(size, size));
  std::vector<Vector> moment(3, Vector::Zero(size));
  std::vector<double> square(3, 0.0), log_weight(3, 0.0);
  std::vector<std::int64_t> count(3, 0);
  for (const Eigen::Index rows :
       {Eigen::Index{5}, batch - 5, Eigen::Index{1}, 2 * batch + 3, Eigen::Index{7}, batch, batch + 1, Eigen::Index{2}}) {
    const Matrix k = random_matrix(rows);
    MatrixSlice place = builder.reserve(rows);
    place = k;
    RowTargets targets;
    for (Eigen::Index i = 0; i < rows; ++i) {
      targets.value.push_back(normal(random));
      targets.noise_scale.push_back(0.5 + std::abs(normal(random)));
      targets.group.push_back(static_cast<int>(random() % 3) == 2 && i % 7 == 0 ? RowTargets::excluded : static_cast<int>(random() % 3));
      if (targets.group.back() == RowTargets::excluded) continue;
      const auto g = static_cast<std::size_t>(targets.group.back());
      const double h = targets.noise_scale.back(), y = targets.value.back() / h;
      const Vector phi = lower.triangularView<Eigen::Lower>().solve(k.row(i).transpose() / h);
      gram[g] += phi * phi.transpose();
      moment[g] += y * phi;
      square[g] += y * y;
      log_weight[g] -= 2 * std::log(h);
      ++count[g];
    }
    builder.add(targets);
  }
  const SufficientStatistics statistics = builder.finish();
  REQUIRE(statistics.groups.size() == 3);
  for (std::size_t g = 0; g < 3; ++g) {
    CHECK(statistics.groups[g].count == count[g]);
    CHECK(largest_difference(statistics.groups[g].gram.dense(), gram[g]) <= 1e-11 * gram[g].cwiseAbs().maxCoeff());
    CHECK(largest_difference(statistics.groups[g].moment, moment[g]) <= 1e-11 * gram[g].cwiseAbs().maxCoeff());
    check_close(statistics.groups[g].target_square, square[g], 0, 1e-11);
    check_close(statistics.groups[g].log_weight, log_weight[g], 1e-9);
  }
}

TEST_CASE("a target or kernel row that is not finite stops the fit") {
  const SparseFactor factor({Matrix::Identity(2, 2)}, {0.0});
  const std::vector<RowGroup> groups = {{Property::energy, "default", false, 1}};
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const bool in_target : {true, false}) {
      StatisticsBuilder builder(factor, groups, "");
      MatrixSlice place = builder.reserve(1);
      place.setConstant(in_target ? 1.0 : bad);
      RowTargets targets;
      targets.value = {in_target ? bad : 1.0};
      targets.noise_scale = {1.0};
      targets.group = {0};
      CHECK(message_of<NumericalError>([&] {
              builder.add(targets);
              builder.finish();
            }) != "");
    }
}
