// The solution of a fit: against the dense reference, with nearly singular sparse sets, threads and seeds.

#include <fstream>
#include <gapkit/fit/fit.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/predict/predictor.hpp>
#include <iomanip>

#include "support/distributions.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

std::vector<Structure> training_frames(const std::vector<int>& elements, int count, int atoms = 4, unsigned seed = 1) {
  std::vector<Structure> frames;
  for (int i = 0; i < count; ++i) frames.push_back(labelled(random_triclinic(atoms, seed + static_cast<unsigned>(i), elements)));
  return frames;
}

struct FitWithWarnings {
  FitResult result;
  std::vector<std::string> warnings;
};

FitWithWarnings fit_with_warnings(const FitConfiguration& options) {
  FitWithWarnings f;
  f.result = fit(options, [&](const ProgressEvent& e) {
    if (e.is_warning) f.warnings.push_back(e.message);
  });
  return f;
}

// Energy without reference energies, forces, virial: in the order of Observables.
Vector predicted(const Model& model, const Structure& s) {
  const Prediction p = Predictor(std::make_shared<const Model>(model)).compute(s);
  Vector v(7 + 3 * s.size());
  v[0] = p.energy;
  for (const int z : s.atomic_numbers) v[0] -= model.reference_energies.at(z);
  for (Eigen::Index i = 0; i < p.forces->size(); ++i) v[1 + i] = p.forces->data()[i];
  v.tail(6) << (*p.virial)(0, 0), (*p.virial)(1, 1), (*p.virial)(2, 2), (*p.virial)(1, 2), (*p.virial)(0, 2), (*p.virial)(0, 1);
  return v;
}

// Largest deviation over energy, forces and virial, each relative to its largest component; NaN stays NaN.
double relative_deviation(const Vector& actual, const Vector& expected) {
  REQUIRE(actual.size() == expected.size());
  const Eigen::Index n = expected.size();
  double worst = 0;
  for (const auto& [first, count] : {std::pair<Eigen::Index, Eigen::Index>{0, 1}, {1, n - 7}, {n - 6, 6}}) {
    const double unit = expected.segment(first, count).cwiseAbs().maxCoeff();
    const double deviation = largest_difference(actual.segment(first, count), expected.segment(first, count)) / unit;
    worst = worse(worst, deviation);
  }
  return worst;
}

// Σ ((y − prediction)/σ)² over all rows of the training frames, no reference energies counted.
double misfit(const FitConfiguration& options, const Model& model, const std::vector<Structure>& frames) {
  double sum = 0;
  for (const Structure& s : frames) {
    const Observations data = observations_of(options, model.terms, model.reference_energies, {s});
    const Vector v = predicted(model, s);
    REQUIRE(data.target.size() == static_cast<std::size_t>(v.size()));
    for (Eigen::Index n = 0; n < v.size(); ++n) {
      const auto row = static_cast<std::size_t>(n);
      sum += std::pow((v[n] - static_cast<double>(data.target[row])) / static_cast<double>(data.sigma[row]), 2);
    }
  }
  return sum;
}

double relative_deviation(const Model& a, const Model& b, const std::vector<Structure>& structures) {
  double worst = 0;
  for (const Structure& s : structures) {
    const double deviation = relative_deviation(predicted(a, s), predicted(b, s));
    worst = worse(worst, deviation);
  }
  return worst;
}

struct Agreement {
  double mean = 0, weights = 0, predictions = 0, evidence = 0;
};

// Fitted model against the long-double solution of the same system: same sparse points, same jitter, QR instead of normal equations.
Agreement compare_with_dense(const FitConfiguration& options, const FitResult& result, const std::vector<Structure>& train,
                             const std::vector<Structure>& others) {
  const Model& model = result.model;
  const Observations data = observations_of(options, model.terms, model.reference_energies, train);
  const DenseSparseProcess dense(model.terms, model.factor.jitter(), data);
  Agreement a;
  const Vector u = dense.whitened_weights().cast<double>(), c = dense.weights().cast<double>();
  a.mean = largest_difference(model.posterior.mean, u) / u.cwiseAbs().maxCoeff();
  a.weights = largest_difference(model.weights, c) / c.cwiseAbs().maxCoeff();
  a.evidence = std::abs(result.report.log_evidence - static_cast<double>(dense.log_evidence())) / std::abs(result.report.log_evidence);
  for (const auto* list : {&train, &others})
    for (const Structure& s : *list) {
      if (s.size() == 1) continue;
      const double deviation = relative_deviation(predicted(model, s), dense.mean(observables_of(model.terms, s)).cast<double>());
      a.predictions = worse(a.predictions, deviation);
    }
  return a;
}

std::string write_points(const TemporaryFolder& folder, const std::string& name, const Matrix& points) {
  std::ostringstream text;
  text << std::setprecision(17);
  for (Eigen::Index i = 0; i < points.size(); ++i) text << points.data()[i] << '\n';
  return folder.write(name, text.str()).string();
}

// Features of one term in some structures.
Matrix environments_of(const TermOptions& options, const std::vector<int>& species, const std::vector<int>& elements,
                       const std::vector<Structure>& structures) {
  const auto descriptor = descriptor_kind(options.descriptor).make(options.descriptor_parameters, species, elements);
  Matrix all(0, descriptor->size());
  for (const Structure& s : structures) {
    const StructureEnvironments environments(s, descriptor->cutoff());
    Features features;
    descriptor->compute(environments.view(), 0, s.size(), Derivatives::none, features);
    all.conservativeResize(all.rows() + features.size(), Eigen::NoChange);
    all.bottomRows(features.size()) = features.x.view();
  }
  return all;
}

// Points, each of them again, and each of them a third time moved by 1e-9.
Matrix with_copies(const Matrix& points, unsigned seed) {
  std::mt19937 random(seed);
  test::Uniform uniform(-1e-9, 1e-9);
  Matrix moved = points;
  for (Eigen::Index i = 0; i < moved.size(); ++i) moved.data()[i] += uniform(random);
  Matrix all(3 * points.rows(), points.cols());
  all << points, points, moved;
  return all;
}

// Pivots above a limit, by elimination in long double with the largest remaining diagonal first.
int rank_above(const Matrix& a, double limit) {
  LongMatrix rest = a.cast<long double>();
  for (int rank = 0;; ++rank) {
    Eigen::Index p = 0;
    if (rank == a.rows() || !(rest.diagonal().maxCoeff(&p) > limit)) return rank;
    const LongVector column = rest.col(p);
    rest -= column * column.transpose() / column[p];
    rest.row(p).setZero();
    rest.col(p).setZero();
  }
}

// Sparse sets that are nearly or entirely singular.
struct SingularCase {
  std::string label;
  FitConfiguration options;
};

std::vector<SingularCase> singular_cases(const TemporaryFolder& folder, const std::string& train, const std::vector<Structure>& frames) {
  std::vector<SingularCase> cases;
  const auto add = [&](const std::string& label, TermOptions term, const Matrix& points) {
    term.selection = "file";
    term.sparse_file[""] = write_points(folder, label + ".points", points);
    cases.push_back({label, small_options(train, {term})});
  };
  const TermOptions quartic = small_soap(3, 2, 4, 0), linear = small_soap(2, 2, 1, 0), pair = small_two_body(1.0, 0);
  add("copies", quartic, with_copies(environments_of(quartic, {14}, {14}, frames).topRows(10), 3));
  add("more points than features", linear, environments_of(linear, {14}, {14}, frames));  // rank 9
  Matrix grid(60, 1);
  for (Eigen::Index i = 0; i < 60; ++i) grid(i, 0) = 1.5 + 2.5 * static_cast<double>(i) / 59;
  add("fine grid of distances", pair, grid);  // rank about 10 at double precision
  add("copies of distances", pair, with_copies(grid.topRows(20), 4));
  return cases;
}

}  // namespace

TEST_CASE("mean, weights, predictions and log evidence equal QR of the pooled rows in long double") {
  const TemporaryFolder folder;
  for (const std::vector<int>& elements : {std::vector<int>{14}, {6, 14}}) {
    CAPTURE(elements.size());
    std::vector<Structure> frames = training_frames(elements, 4);
    frames.push_back(labelled(random_triclinic(3, 50, elements), "special"));
    Structure molecule = random_triclinic(3, 51, elements);
    molecule.cell.reset();
    molecule.pbc = {false, false, false};
    frames.push_back(labelled(molecule));
    frames.push_back(lone_atom(14));
    const std::string train = write_frames((folder.path() / "train.xyz").string(), frames);
    TermOptions pair = small_two_body(0.6, 7), triplet = small_three_body(1.3, 5, 3.0), soap = small_soap(2, 2, 2, 8);
    pair.delta = 1.5;
    soap.delta = 0.4;
    FitConfiguration options = small_options(train, {pair, triplet, soap});
    options.regularization.config_type["special"] = {0.002, 0.02, 0.05};
    for (const bool scale_with_atoms : {true, false}) {
      options.regularization.scale_with_atoms = scale_with_atoms;
      const FitResult result = fit(options);
      const Agreement a = compare_with_dense(options, result, read_targets(train), training_frames(elements, 2, 5, 90));
      MESSAGE("u ", a.mean, ", c ", a.weights, ", predictions ", a.predictions, ", evidence ", a.evidence);
      CHECK(a.mean <= 1e-8);
      CHECK(a.weights <= 1e-7);
      CHECK(a.predictions <= 1e-9);
      CHECK(a.evidence <= 1e-8);
    }
  }
}

TEST_CASE("duplicated, near-duplicated and too many sparse points: the long-double solution to 1e-6") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = training_frames({14}, 6);
  const std::string train = write_frames((folder.path() / "train.xyz").string(), frames);
  for (const SingularCase& c : singular_cases(folder, train, frames)) {
    CAPTURE(c.label);
    const FitWithWarnings f = fit_with_warnings(c.options);
    const TermReport& term = f.result.report.terms.at(0);
    CHECK(term.dropped == 0);
    CHECK(term.chosen == term.asked);
    CHECK(f.result.model.weights.allFinite());
    const Agreement a = compare_with_dense(c.options, f.result, read_targets(train), training_frames({14}, 2, 5, 90));
    MESSAGE(c.label, ": rank ", term.effective_rank, " of ", term.chosen, ", c ", a.weights, ", predictions ", a.predictions);
    CHECK(term.effective_rank == rank_above(sparse_covariance(f.result.model.terms[0]), 1e-8));
    CHECK(term.effective_rank < term.chosen);
    CHECK(a.predictions <= 1e-6);
    CHECK(a.evidence <= 1e-8);
  }
}

TEST_CASE("sparse points that the jitter does not hold apart are dropped with a warning, and the fit is as good") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = training_frames({14}, 6);
  const std::string train = write_frames((folder.path() / "train.xyz").string(), frames);
  for (SingularCase& c : singular_cases(folder, train, frames))
    for (const double jitter : {1e-16, 1e-14}) {
      CAPTURE(c.label);
      CAPTURE(jitter);
      c.options.jitter = 1e-8;
      const Model usual = fit(c.options).model;
      c.options.jitter = jitter;
      const FitWithWarnings f = fit_with_warnings(c.options);
      const TermReport& term = f.result.report.terms.at(0);
      if (jitter == 1e-16) {
        CHECK(term.dropped > 0);
        const std::string dropped = std::to_string(term.dropped) + " of";
        const auto names_them = [&](const std::string& warning) { return warning.find(dropped) != std::string::npos; };
        CAPTURE(f.warnings.front());
        CHECK(std::count_if(f.warnings.begin(), f.warnings.end(), names_them) == 1);
      }
      CHECK(term.chosen + term.dropped == term.asked);
      CHECK(term.chosen == f.result.model.terms.at(0).sparse.size());
      CHECK(f.result.model.weights.allFinite());
      // Less jitter leaves more freedom: the data are followed as closely as before, or more.
      const double misfit_now = misfit(c.options, f.result.model, frames), misfit_usual = misfit(c.options, usual, frames);
      MESSAGE(c.label, ", jitter ", jitter, ": dropped ", term.dropped, " of ", term.asked, ", misfit ", misfit_now, " against ",
              misfit_usual);
      CHECK(misfit_now <= 1.01 * misfit_usual);
      // Error bars remain numbers, too.
      Predictor predictor(std::make_shared<const Model>(f.result.model));
      for (const Structure& s : frames) {
        const Prediction p = predictor.compute(s, {.energy_std = true, .local_std = true});
        CHECK(*p.energy_std_epistemic >= 0);
        CHECK(p.local_energy_std_epistemic->minCoeff() >= 0);
      }
    }
}

TEST_CASE("no sparse set, however dependent its points, stops a fit") {
  const TemporaryFolder folder;
  const std::string train = write_frames((folder.path() / "train.xyz").string(), training_frames({14}, 2));
  std::mt19937 random(17);
  test::Uniform distance(1.5, 4.0);
  for (int trial = 0; trial < 12; ++trial) {
    Matrix points(60 + 20 * trial, 1);
    for (Eigen::Index i = 0; i < points.rows(); ++i) points(i, 0) = distance(random);
    TermOptions pair = small_two_body(0.3 + 0.2 * trial, 0);
    pair.selection = "file";
    pair.sparse_file[""] = write_points(folder, "points", points);
    for (const double jitter : {0.0, 1e-18, 1e-15, 3e-14}) {
      CAPTURE(trial);
      CAPTURE(jitter);
      FitConfiguration options = small_options(train, {pair});
      options.jitter = jitter;
      const std::string message = message_of<Error>([&] { CHECK(fit(options).model.weights.allFinite()); });
      CHECK(message == "");
    }
  }
}

TEST_CASE("one thread and two threads give the same fit") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = training_frames({6, 14}, 8);
  // Eight distances at θ/2 from each other. With twenty, K_MM is singular to rounding and single weights are large numbers that cancel:
  // they then agree to 2·10⁻⁹ only.
  FitConfiguration options =
      small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_two_body(0.6, 8), small_soap(3, 3, 4, 20)});
  options.seed = 3;
  for (const std::string selection : {"cur", "variance", "random"}) {
    CAPTURE(selection);
    options.terms[1].selection = selection;
    const int threads = thread_count();
    set_thread_count(1);
    const Model one = fit(options).model;
    set_thread_count(2);
    const Model two = fit(options).model;
    set_thread_count(threads);
    REQUIRE(one.terms.size() == two.terms.size());
    for (std::size_t t = 0; t < one.terms.size(); ++t) CHECK(largest_difference(one.terms[t].sparse.x, two.terms[t].sparse.x) <= 1e-14);
    const double deviation = largest_difference(one.weights, two.weights);
    CHECK(deviation <= 1e-9 * one.weights.cwiseAbs().maxCoeff());
    CHECK(relative_deviation(one, two, frames) <= 1e-9);
  }
}

TEST_CASE("the same seed gives the same model, another seed other sparse points") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = training_frames({14}, 8);
  FitConfiguration options = small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_soap(3, 2, 4, 6)});
  for (const std::string selection : {"random", "cur"}) {
    CAPTURE(selection);
    options.terms[0].selection = selection;
    options.seed = 5;
    const Model first = fit(options).model, again = fit(options).model;
    CHECK(first.terms[0].sparse.x == again.terms[0].sparse.x);
    CHECK(first.weights == again.weights);
    CHECK(first.data_fingerprint == again.data_fingerprint);
    options.seed = 6;
    const Model other = fit(options).model;
    CHECK(other.terms[0].sparse.x.rows() == first.terms[0].sparse.x.rows());
    CHECK(largest_difference(other.terms[0].sparse.x, first.terms[0].sparse.x) > 1e-3);
  }
}

TEST_CASE("a supercell larger than a batch of rows gives the same fit as copies of its cell") {
  const TemporaryFolder folder;
  const Structure cell = labelled(random_triclinic(12, 5, {14}));
  const std::vector<Structure> frames = training_frames({14}, 2);
  std::vector<Structure> copies = {frames[0]};
  for (int i = 0; i < 60; ++i) copies.push_back(cell);
  copies.push_back(frames[1]);
  const Structure large = labelled(supercell(random_triclinic(12, 5, {14}), 5, 4, 3));
  REQUIRE(3 * large.size() > 2048);  // rows of a batch
  TermOptions soap = small_soap(3, 2, 4, 0);
  soap.selection = "file";
  soap.sparse_file[""] = write_points(folder, "points", environments_of(soap, {14}, {14}, {cell}));
  TermOptions pair = small_two_body(0.5, 0);
  pair.selection = "file";
  Matrix grid(8, 1);
  for (Eigen::Index i = 0; i < 8; ++i) grid(i, 0) = 1.6 + 0.3 * static_cast<double>(i);
  pair.sparse_file[""] = write_points(folder, "distances", grid);
  const auto model_of = [&](const std::vector<Structure>& train) {
    return fit(small_options(write_frames((folder.path() / "train.xyz").string(), train), {pair, soap})).model;
  };
  const Model many = model_of(copies), one = model_of({frames[0], large, frames[1]});
  CHECK(largest_difference(one.posterior.mean, many.posterior.mean) <= 1e-9 * many.posterior.mean.cwiseAbs().maxCoeff());
  CHECK(largest_difference(one.posterior.factor, many.posterior.factor) <= 1e-9 * many.posterior.factor.cwiseAbs().maxCoeff());
}
