// Optimisation of σ and δ: a true optimum, common parameters and bounds, and known values that are found again.

#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/evidence.hpp>
#include <gapkit/fit/fit.hpp>

#include "fit/maximize.hpp"
#include "support/pair_potential.hpp"
#include "support/random_sums.hpp"
#include "support/small_fits.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

// Terms without sparse features: only their sizes and amplitudes matter here.
std::vector<Term> terms_of_sizes(const std::vector<Eigen::Index>& offsets) {
  std::vector<Term> terms;
  for (std::size_t t = 0; t + 1 < offsets.size(); ++t) {
    Term term;
    term.name = "term" + std::to_string(t);
    term.species = {14};
    term.sparse.x = Matrix::Zero(offsets[t + 1] - offsets[t], 1);
    terms.push_back(term);
  }
  return terms;
}

StoredStatistics stored(const RandomSums& sums, std::vector<std::int64_t> amplitudes, const std::vector<double>& sigma) {
  StoredStatistics result;
  result.statistics = sums.statistics;
  for (std::size_t g = 0; g < result.statistics.groups.size(); ++g) result.statistics.groups[g].group.sigma = sigma[g % sigma.size()];
  result.amplitudes = std::move(amplitudes);
  return result;
}

OptimizeOptions by_evidence() {
  OptimizeOptions options;
  options.objective = OptimizeOptions::Objective::evidence;
  return options;
}

}  // namespace

TEST_CASE("maximize finds the maximum of a curved valley, within bounds, and passes exceptions on") {
  const Objective rosenbrock = [](const std::vector<double>& x, std::vector<double>& g) {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g = {2 * a + 40 * b * x[0], -20 * b};
    return -(a * a + 10 * b * b);
  };
  const Maximum free = maximize(rosenbrock, {-1, 2}, {{-5, -5}, {5, 5}, 2, 1e-12, 500});
  check_close(free.x[0], 1, 1e-4);
  check_close(free.x[1], 1, 1e-4);
  const Maximum bounded = maximize(rosenbrock, {-1, 2}, {{-5, -5}, {0.5, 5}, 2, 1e-12, 500});
  check_close(bounded.x[0], 0.5, 1e-6);
  check_close(bounded.x[1], 0.25, 1e-4);
  // A region that cannot be computed, as where rounding makes a matrix indefinite: the search turns back.
  const Objective partial = [&](const std::vector<double>& x, std::vector<double>& g) {
    if (x[0] > 1.2 || x[1] > 2.5) throw NumericalError("too far");
    return rosenbrock(x, g);
  };
  const Maximum beside = maximize(partial, {-1, 2}, {{-5, -5}, {5, 5}, 10, 1e-12, 500});
  check_close(beside.x[0], 1, 1e-3);
  CHECK(message_of<NumericalError>([&] { maximize(partial, {2, 2}, {{-5, -5}, {5, 5}, 2, 1e-12, 500}); }) == "too far");
  const Objective broken = [](const std::vector<double>&, std::vector<double>&) -> double { throw InputError("no"); };
  CHECK(message_of<InputError>([&] { maximize(broken, {0}, {{-1}, {1}, 1, 1e-3, 10}); }) == "no");
}

TEST_CASE("maximize ends where nothing above the tolerance is to be gained") {
  // Values and slopes of a sum over many rows have errors of rounding, which line searches near the maximum would follow.
  int evaluations = 0;
  const Objective rough = [&](const std::vector<double>& x, std::vector<double>& g) {
    const double square = x[0] * x[0] + 10 * x[1] * x[1];
    g = {-2 * x[0] / (1 + square) + 1e-2, -20 * x[1] / (1 + square)};
    return -std::log(1 + square) + 1e-4 * std::sin(12345.678 * ++evaluations);
  };
  const Maximum found = maximize(rough, {2, -1}, {{-5, -5}, {5, 5}, 2, 1e-3, 200});
  CHECK(found.value >= -1e-3);
  CHECK(evaluations <= 25);  // 37 without a limit
}

TEST_CASE("sigma and delta of the data's own distribution are found again") {
  const std::vector<double> noise = {0.02, 0.2, 0.05};
  const RandomSums sums = random_sums({300, 600, 300}, {0, 40, 90}, 5, noise, 3);
  const auto terms = terms_of_sizes(sums.offsets);
  const OptimizationReport r = optimize(stored(sums, {0, 0}, {0.1, 0.1, 0.1}), terms, {1, 1}, by_evidence());
  CHECK(r.warnings.empty());
  for (std::size_t g = 0; g < 3; ++g) check_close(r.after.sigma[g], noise[g], 0, 0.1);
  CHECK(r.after.delta_ratio[0] == r.after.delta_ratio[1]);
  check_close(r.after.delta_ratio[0], 3, 0, 0.25);
  CHECK(r.evaluations < 100);
  for (std::size_t g = 0; g < 3; ++g) check_close(r.after.residual[g], noise[g], 0, 0.2);
}

TEST_CASE("the optimum beats its start and its neighbours") {
  const RandomSums sums = random_sums({50, 60, 30, 25, 33}, {0, 8, 20, 31}, 2, {0.02, 0.1, 0.3});
  const auto terms = terms_of_sizes(sums.offsets);
  const StoredStatistics start = stored(sums, {0, 1, 2}, {0.5});
  const OptimizationReport r = optimize(start, terms, {1, 1, 1}, by_evidence());
  CHECK(r.after.log_evidence > r.before.log_evidence + 1);
  Evidence evidence(sums.statistics, sums.offsets);
  check_close(evidence.compute(r.after.sigma, r.after.delta_ratio).log_evidence, r.after.log_evidence, 0, 1e-12);
  for (std::size_t p = 0; p < 8; ++p)
    for (const double factor : {0.9, 1.1}) {
      CAPTURE(p);
      auto sigma = r.after.sigma, scale = r.after.delta_ratio;
      (p < 5 ? sigma[p] : scale[p - 5]) *= factor;
      CHECK(evidence.compute(sigma, scale, false).log_evidence < r.after.log_evidence + 0.01);
    }
}

TEST_CASE("small classes follow the default class, fixed rows and unwanted parameters stay") {
  RandomSums sums = random_sums({50, 60, 30, 4, 33}, {0, 8, 20}, 2);
  sums.statistics.groups[2].group.fixed = true;
  const auto terms = terms_of_sizes(sums.offsets);
  StoredStatistics start = stored(sums, {0, 1}, {0.5, 0.4, 1, 0.1, 0.2});
  const OptimizationReport r = optimize(start, terms, {1, 1}, by_evidence());
  CHECK(r.after.sigma[2] == 1);
  check_close(r.after.sigma[3] / 0.1, r.after.sigma[0] / 0.5, 0, 1e-12);  // four energies of "liquid"
  CHECK(std::abs(r.after.sigma[4] / 0.2 - r.after.sigma[1] / 0.4) > 1e-3);
  CHECK(r.after.delta_ratio[0] != r.after.delta_ratio[1]);
  OptimizeOptions options = by_evidence();
  options.delta = false;
  const OptimizationReport noise_only = optimize(start, terms, {1, 1}, options);
  CHECK(noise_only.after.delta_ratio == std::vector<double>{1, 1});
  CHECK(noise_only.after.sigma[0] != 0.5);
  options = by_evidence();
  options.sigma = false;
  const OptimizationReport amplitudes_only = optimize(start, terms, {1, 1}, options);
  CHECK(amplitudes_only.after.sigma == amplitudes_only.before.sigma);
  CHECK(amplitudes_only.after.delta_ratio[0] != 1);
  CHECK(r.after.log_evidence >= std::max(noise_only.after.log_evidence, amplitudes_only.after.log_evidence) - 0.02);
  // Without a default class to follow, a small class stays.
  start.statistics.groups[0].group.config_class = "solid";
  start.statistics.groups[0].group.sigma = 0.5;
  CHECK(optimize(start, terms, {1, 1}, by_evidence()).after.sigma[3] == 0.1);
}

TEST_CASE("a parameter that stops at its bound is reported") {
  const RandomSums sums = random_sums({50, 60}, {0, 8}, 2, {0.02});
  const auto terms = terms_of_sizes(sums.offsets);
  OptimizeOptions options = by_evidence();
  options.max_factor = 3;
  std::vector<std::string> heard;
  const OptimizationReport r = optimize(stored(sums, {0}, {0.5, 0.02}), terms, {1}, options, [&](const ProgressEvent& e) {
    if (e.is_warning) heard.push_back(e.message);
  });
  check_close(r.after.sigma[0], 0.5 / 3, 0, 1e-3);
  REQUIRE(!r.warnings.empty());
  CHECK(r.warnings[0].find("sigma of property 'energy', class 'default'") != std::string::npos);
  CHECK(r.warnings[0].find("1/3") != std::string::npos);
  CHECK(heard == r.warnings);
}

TEST_CASE("cross-validation lowers the fold errors, and the evidence settles the common factor") {
  const RandomSums sums = random_sums({20, 40, 20}, {0, 20, 50}, 3, {0.02, 0.2, 0.05}, 1, 4);
  const auto terms = terms_of_sizes(sums.offsets);
  OptimizeOptions options = by_evidence();
  options.objective = OptimizeOptions::Objective::cross_validation;
  // Also where the ratios of the δ stay: σ would run far below the errors if δ stayed too.
  for (const bool delta : {true, false}) {
    CAPTURE(delta);
    options.delta = delta;
    const OptimizationReport r = optimize(stored(sums, {0, 1}, {0.5, 0.01, 0.3}), terms, {1, 2}, options);
    REQUIRE(r.groups.size() == 3);
    double before = 0, after = 0;
    for (std::size_t g = 0; g < 3; ++g) {
      before += std::log(r.before.fold_error[g]);
      after += std::log(r.after.fold_error[g]);
      CHECK(r.after.fold_error[g] > r.after.residual[g]);
    }
    CHECK(after < before - 0.01);
    if (!delta) check_close(r.after.delta_ratio[1] / r.after.delta_ratio[0], 2, 0, 1e-12);
    // No common factor of all σ and δ has a higher evidence.
    const SufficientStatistics merged = sums.statistics.without_folds();
    Evidence evidence(merged, sums.offsets);
    for (const double factor : {0.95, 1.05}) {
      auto sigma = r.after.sigma, scale = r.after.delta_ratio;
      for (double& x : sigma) x *= factor;
      for (double& x : scale) x *= factor;
      CHECK(evidence.compute(sigma, scale, false).log_evidence < r.after.log_evidence);
    }
  }
}

TEST_CASE("cross-validation: sigma of a property without weight keeps its ratio to that of the forces") {
  const RandomSums sums = random_sums({20, 40, 20}, {0, 20, 50}, 3, {0.02, 0.2, 0.05}, 1, 4);
  const auto terms = terms_of_sizes(sums.offsets);
  OptimizeOptions options = by_evidence();
  options.objective = OptimizeOptions::Objective::cross_validation;
  options.delta = false;
  const StoredStatistics start = stored(sums, {0, 0}, {0.05, 0.01, 0.03});
  const OptimizationReport free = optimize(start, terms, {1, 1}, options);
  REQUIRE(free.factors.size() == 3);
  options.weights[Property::energy] = options.weights[Property::virial] = 0;
  const OptimizationReport r = optimize(start, terms, {1, 1}, options);
  REQUIRE(r.factors.size() == 1);
  CHECK(r.factors.begin()->first == "sigma of property 'force', class 'default'");
  CHECK(std::abs(r.factors.begin()->second) > 0.05);
  for (std::size_t g = 0; g < 3; ++g) {
    CHECK(std::abs(std::log(r.after.sigma[g] / r.before.sigma[g])) > 0.05);
    check_close(r.after.sigma[g] / r.before.sigma[g], r.after.sigma[0] / r.before.sigma[0], 0, 1e-12);
  }
  const std::size_t force = r.groups[0].property == Property::force ? 0 : r.groups[1].property == Property::force ? 1 : 2;
  CHECK(r.after.fold_error[force] < r.before.fold_error[force]);
  // Only energies have weight: forces follow them.
  options.weights = PerTarget<double>(0);
  options.weights[Property::energy] = 1;
  const OptimizationReport by_energy = optimize(start, terms, {1, 1}, options);
  REQUIRE(by_energy.factors.size() == 1);
  CHECK(by_energy.factors.begin()->first == "sigma of property 'energy', class 'default'");
}

TEST_CASE("a search that begins at the optimum ends there") {
  const RandomSums sums = random_sums({300, 600, 300}, {0, 40, 90}, 5, {0.02, 0.2, 0.05}, 3);
  const auto terms = terms_of_sizes(sums.offsets);
  const StoredStatistics start = stored(sums, {0, 0}, {0.1, 0.1, 0.1});
  const OptimizationReport first = optimize(start, terms, {1, 1}, by_evidence());
  REQUIRE(first.factors.size() == 4);
  OptimizeOptions options = by_evidence();
  options.start = first.factors;
  const OptimizationReport again = optimize(start, terms, {1, 1}, options);
  CHECK(again.evaluations < first.evaluations);
  CHECK(again.trace.front() == doctest::Approx(first.after.log_evidence).epsilon(1e-12));
  for (std::size_t g = 0; g < 3; ++g) check_close(again.after.sigma[g], first.after.sigma[g], 0, 0.01);
  check_close(again.after.delta_ratio[0], first.after.delta_ratio[0], 0, 0.01);
}

TEST_CASE("a fit with [optimize]: terms of one name share their amplitude, the model has the optimum") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 10; ++seed) frames.push_back(labelled(random_triclinic(5, seed, {6, 14}), seed > 5 ? "late" : "early"));
  FitConfiguration options =
      small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_two_body(0.6, 8), small_soap(2, 2, 3, 12)});
  const double before = fit(options).report.log_evidence;
  options.optimize = by_evidence();
  options.optimize.min_rows = 5;
  options.optimize.classes = {"late"};
  const FitResult result = fit(options);
  REQUIRE(result.report.optimization);
  const OptimizationReport& r = *result.report.optimization;
  REQUIRE(r.terms.size() == 5);  // three pairs, two centres
  CHECK(r.after.delta_ratio[0] == r.after.delta_ratio[2]);
  CHECK(r.after.delta_ratio[3] == r.after.delta_ratio[4]);
  CHECK(r.after.delta_ratio[0] != r.after.delta_ratio[3]);
  CHECK(r.groups.size() == 6);
  CHECK(result.report.log_evidence > before);
  check_close(r.before.log_evidence, before, 0, 1e-9);
  check_close(result.report.log_evidence, r.after.log_evidence, 0, 1e-8);
  CHECK(result.model.posterior.delta_ratio == r.after.delta_ratio);
  for (std::size_t g = 0; g < 6; ++g) CHECK(result.model.posterior.groups[g].sigma == r.after.sigma[g]);

  // The same as a new fit with these σ and δ: the kernels keep their δ, the scale does the rest.
  FitConfiguration direct = options;
  direct.optimize = {};
  direct.terms[0].delta *= r.after.delta_ratio[0];
  direct.terms[1].delta *= r.after.delta_ratio[3];
  const auto sigma_of = [&](Property p, const std::string& name) {
    for (std::size_t g = 0; g < r.groups.size(); ++g)
      if (r.groups[g].property == p && r.groups[g].config_class == name) return r.after.sigma[g];
    return 0.0;
  };
  for (const char* name : {"default", "late"}) {
    const SigmaOptions sigma = {sigma_of(Property::energy, name), sigma_of(Property::force, name), sigma_of(Property::virial, name)};
    (std::string(name) == "late" ? direct.regularization.config_type["late"] : direct.regularization.standard) = sigma;
  }
  const FitResult again = fit(direct);
  check_close(again.report.log_evidence, result.report.log_evidence, 0, 1e-7);
  CHECK(largest_difference(again.model.posterior.mean, result.model.posterior.mean) <=
        1e-5 * result.model.posterior.mean.cwiseAbs().maxCoeff());

  // A table of deltas: every combination has its own.
  options.terms[0].species_delta = {{"Si-Si", 1.0}};
  const OptimizationReport own = *fit(options).report.optimization;
  CHECK(own.after.delta_ratio[0] != own.after.delta_ratio[2]);
  CHECK(own.after.log_evidence > r.after.log_evidence - 0.02);
}

TEST_CASE("VFE: every group's prior variance is at least what the sparse points span, and the bound is below the evidence") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 8; ++seed) frames.push_back(labelled(random_triclinic(5, seed, {14})));
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_soap(3, 2, 2, 6)});
  options.keep_statistics = true;
  options.optimize = by_evidence();
  options.optimize.min_rows = 5;
  const FitResult dtc = fit(options);
  CHECK(dtc.statistics->statistics.groups[0].prior.empty());
  options.optimize.objective = OptimizeOptions::Objective::vfe;
  const FitResult vfe = fit(options);
  for (const GroupStatistics& g : vfe.statistics->statistics.groups) {
    REQUIRE(g.prior.size() == 1);
    CHECK(g.prior[0] > g.gram.diagonal().sum());
    CHECK(g.prior[0] < 100 * g.gram.diagonal().sum());
  }
  const OptimizationReport& a = *dtc.report.optimization;
  const OptimizationReport& b = *vfe.report.optimization;
  CHECK(b.after.log_evidence > b.before.log_evidence);
  CHECK(b.after.log_evidence < a.after.log_evidence);
}

TEST_CASE("folds do not change the solution") {
  const TemporaryFolder folder;
  std::vector<Structure> frames;
  for (unsigned seed = 1; seed <= 9; ++seed) frames.push_back(labelled(random_triclinic(5, seed, {14})));
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_soap(3, 2, 2, 10)});
  const FitResult plain = fit(options);
  CHECK(!plain.report.optimization);
  options.optimize.folds = 3;
  const FitResult divided = fit(options);
  CHECK(largest_difference(divided.model.posterior.mean, plain.model.posterior.mean) <=
        1e-9 * plain.model.posterior.mean.cwiseAbs().maxCoeff());
  REQUIRE(divided.report.optimization);
  REQUIRE(divided.report.optimization->after.fold_error.size() == 3);
  const HyperparameterState& state = divided.report.optimization->after;
  double ratio = 1;
  for (std::size_t g = 0; g < 3; ++g) ratio *= state.fold_error[g] / state.residual[g];
  CHECK(ratio > 1.5);
  CHECK(divided.model.posterior.groups.size() == 3);
  CHECK(divided.report.plan.gram_groups == 9);
}
