// Terms with fewer features: maps from the training data, of principal directions and of a learned metric.

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/predict/predictor.hpp>
#include <set>

#include "fit/compression.hpp"
#include "learned_setup.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

double largest_prediction_difference(const Model& a, const Model& b, const std::vector<Structure>& structures, bool with_bars = true) {
  Predictor first(std::make_shared<const Model>(a)), second(std::make_shared<const Model>(b));
  double worst = 0;
  for (const Structure& s : structures) {
    const PredictionRequest request{.energy_std = true};
    const Prediction p = first.compute(s, request), q = second.compute(s, request);
    worst = worse(worst, std::abs(p.energy - q.energy));
    worst = worse(worst, largest_difference(p.forces.value(), q.forces.value()));
    if (with_bars) worst = worse(worst, std::abs(p.energy_std.value() - q.energy_std.value()));
  }
  return worst;
}

}  // namespace

TEST_CASE("pca with all directions predicts the same as no compression") {
  for (const std::vector<int>& elements : {std::vector<int>{14}, {6, 14}}) {
    const std::vector<Structure> frames = frames_of(1, 8, elements), other = frames_of(50, 3, elements);
    // All environments, because rounding decides the choice among equal ones
    TermOptions without = small_soap(3, 2, 3, 14), with = compressed("pca", 1000), with_two = compressed("pca", 2);
    without.selection = with.selection = with_two.selection = "all";
    const FitResult plain = fitted(frames, options_of({without})), mapped = fitted(frames, options_of({with}));
    const FeatureMap& map = map_of(mapped.model);
    CHECK(map.kept_variance >= 1 - 1e-9);
    CHECK(map.frames.empty());
    CHECK(map.directions.cols() <= plain.model.terms[0].descriptor->size());
    CHECK(largest_difference(Matrix(map.directions.transpose() * map.directions),
                             Matrix::Identity(map.directions.cols(), map.directions.cols())) <= 1e-9);
    // Fewer environments than features: directions that no training environment has are lost, and with them their part of the prior.
    CHECK(largest_prediction_difference(plain.model, mapped.model, other, elements.size() == 1) <= 1e-6);
    const double few = largest_prediction_difference(plain.model, fitted(frames, options_of({with_two})).model, other);
    CHECK(few > 1e-4);
  }
}

TEST_CASE("the rank is a number of features, or the share of the variance to keep") {
  const std::vector<Structure> frames = frames_of(1, 8, {14});
  for (const char* kind : {"pca", "learned"}) {
    CAPTURE(kind);
    CHECK(map_of(fitted(frames, options_of({compressed(kind, 5)})).model).directions.cols() == 5);
    Eigen::Index before = 0;
    for (const double share : {0.5, 0.9, 0.99, 0.9999}) {
      CAPTURE(share);
      const FitResult result = fitted(frames, options_of({compressed(kind, share)}));
      const FeatureMap& map = map_of(result.model);
      CHECK(map.kept_variance >= share);
      CHECK(map.directions.cols() >= before);
      before = map.directions.cols();
      CHECK(result.model.terms[0].sparse.x.cols() == before);
    }
    CHECK(before > 2);
  }
  // The variance by its definition
  const FitResult result = fitted(frames, options_of({compressed("pca", 4)}));
  const FeatureMap& map = map_of(result.model);
  const auto descriptor = descriptor_kind("soap").make(result.model.terms[0].descriptor->parameters(), {14}, {14});
  Matrix all;
  for (const Structure& s : frames) {
    const StructureEnvironments environments(s, descriptor->cutoff());
    Features features;
    descriptor->compute(environments.view(), 0, s.size(), Derivatives::none, features);
    all.conservativeResize(all.rows() + features.size(), descriptor->size());
    all.bottomRows(features.size()) = features.x.view();
  }
  all.rowwise() -= all.colwise().mean().eval();
  check_close(map.kept_variance, (all * map.directions).squaredNorm() / all.squaredNorm(), 1e-9);
}

namespace {

// What a learned map is made from, with a given "first fit": some points with some weights, whose local energy the test knows.
struct KnownFirstFit {
  std::vector<Structure> frames = frames_of(1, 9, {14});
  MemoryDataset data{frames};
  FitOptions options = options_of({compressed("learned", 6)});
  DataScan scan = scan_frames(data, options, {});
  Model model;         // of the "first fit"
  Matrix principal;    // its directions
  Candidates offered;  // its candidates

  FeatureMap learn(double floor) {
    options.terms[0].compression.floor = floor;
    if (!scan.candidates) scan = scan_frames(data, options, {});
    const auto first_fit = [&](const Dataset&, const FitOptions& first, DataScan& half) {
      Term term = half.drafts.at(0).make_term({14}, first.terms.at(0).kernel_parameters);
      offered = half.candidates->at(0);
      principal = term.descriptor->feature_map()->directions;
      term.sparse.x = offered.x.topRows(5);
      term.sparse.covariance_cutoff = Vector::Ones(5);
      model = {};
      model.terms = {term};
      model.weights = Vector{{1.0, -2.0, 0.7, 0.4, -0.3}};
      return model;
    };
    const CompressionInput input{data, options, scan, *scan.candidates, first_fit};
    return learned_kind().make(input, {0}).at(0);
  }

  // The local energy at a spectrum, from its definition.
  double energy(const Vector& x) const {
    const Term& term = model.terms[0];
    double sum = 0;
    for (Eigen::Index m = 0; m < 5; ++m)
      sum += model.weights[m] * term.delta * term.delta * std::pow((principal.transpose() * x).dot(term.sparse.x.row(m)), 3);
    return sum;
  }
};

}  // namespace

TEST_CASE("a learned map equals a slow average gradient outer product") {
  for (const double floor : {0.0, 1e-3, 0.1}) {
    CAPTURE(floor);
    KnownFirstFit known;
    const FeatureMap map = known.learn(floor);
    REQUIRE(!map.frames.empty());
    CHECK(map.frames.size() < known.frames.size());
    const Candidates& all = known.scan.candidates->at(0);
    const Eigen::Index size = all.x.cols();
    // Gradients by central differences at the environments of the half, on the sphere of normalised spectra
    Matrix average = Matrix::Zero(size, size);
    double count = 0;
    for (Eigen::Index e = 0; e < all.x.rows(); ++e) {
      if (!std::binary_search(map.frames.begin(), map.frames.end(), all.origin[static_cast<std::size_t>(e)].frame)) continue;
      const Vector x = all.x.row(e);
      Vector g(size);
      for (Eigen::Index d = 0; d < size; ++d) {
        Vector up = x, down = x;
        const double h = 1e-2;  // exact for a polynomial of third degree
        Vector up2 = x, down2 = x;
        up[d] += h;
        down[d] -= h;
        up2[d] += 2 * h;
        down2[d] -= 2 * h;
        g[d] = (8 * (known.energy(up) - known.energy(down)) - (known.energy(up2) - known.energy(down2))) / (12 * h);
      }
      g -= x * x.dot(g);
      average += g * g.transpose();
      ++count;
    }
    CHECK(count == static_cast<double>(known.offered.x.rows()));
    average /= count;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(average);
    const double largest = solver.eigenvalues()[size - 1];
    Matrix metric = Matrix::Zero(size, size);
    for (Eigen::Index k = size - 6; k < size; ++k)
      metric += std::sqrt(std::max(0.0, solver.eigenvalues()[k]) / largest + floor) * solver.eigenvectors().col(k) *
                solver.eigenvectors().col(k).transpose();
    const Vector mean = all.x.colwise().mean();
    CHECK(largest_difference(map.mean, mean) <= 1e-12);
    const Matrix centred = all.x.rowwise() - mean.transpose();
    metric /= (centred * metric).cwiseProduct(centred).sum() / static_cast<double>(centred.rows());
    CHECK(largest_difference(Matrix(map.directions * map.directions.transpose()), metric) <= 1e-4 * metric.cwiseAbs().maxCoeff());
    check_close((centred * map.directions).squaredNorm() / static_cast<double>(centred.rows()), 1, 1e-9);
  }
}

TEST_CASE("held-out structures do not enter a learned map: their labels do not change it") {
  std::vector<Structure> frames = frames_of(1, 24, {14});
  FitConfiguration options = options_of({small_two_body(0.6, 6), compressed("learned", 6)});
  options.calibration.source = CalibrationOptions::Source::holdout;
  options.calibration.holdout = 0.2;
  options.calibration.fewest_structures = 1;
  const MemoryDataset data(frames);
  const std::vector<std::int64_t> held_out = choose_held_out(data, 0.2, 1, options.seed).front();
  REQUIRE(held_out.size() >= 3);
  const FitResult first = fit(FitData{data}, options);
  const FeatureMap& map = map_of(first.model);
  CHECK(map.frames.size() >= 8);
  for (const std::int64_t number : held_out) CHECK(!std::binary_search(map.frames.begin(), map.frames.end(), number));
  const auto changed = [&](const std::vector<std::int64_t>& numbers) {
    std::vector<Structure> other = frames;
    for (const std::int64_t number : numbers) {
      Structure& s = other[static_cast<std::size_t>(number)];
      *s.energy += 3;
      *s.forces *= -2;
    }
    return map_of(fitted(other, options).model);
  };
  const FeatureMap same = changed(held_out);
  CHECK(largest_difference(same.directions, map.directions) == 0);
  CHECK(largest_difference(same.mean, map.mean) == 0);
  CHECK(largest_difference(changed({map.frames.front()}).directions, map.directions) > 1e-6);
  // Structures of the other half are fitted, but do not enter the map
  std::int64_t other_half = 0;
  while (std::binary_search(held_out.begin(), held_out.end(), other_half) ||
         std::binary_search(map.frames.begin(), map.frames.end(), other_half))
    ++other_half;
  CHECK(largest_difference(changed({other_half}).directions, map.directions) == 0);
}

TEST_CASE("a learned map does not depend on the number of threads, beyond rounding") {
  const std::vector<Structure> frames = frames_of(1, 12, {6, 14}), other = frames_of(60, 3, {6, 14});
  const FitConfiguration options = options_of({small_two_body(0.6, 6), compressed("learned", 8)});
  const int threads = thread_count();
  set_thread_count(1);
  const FitResult one = fitted(frames, options);
  set_thread_count(4);
  const FitResult four = fitted(frames, options);
  set_thread_count(threads);
  CHECK(map_of(one.model).frames == map_of(four.model).frames);
  CHECK(largest_prediction_difference(one.model, four.model, other) <= 1e-6);
  const FitResult again = fitted(frames, options);
  CHECK(largest_prediction_difference(again.model, four.model, other) <= 1e-6);
  FitConfiguration seeded = options;
  seeded.seed = 5;
  CHECK(map_of(fitted(frames, seeded).model).frames != map_of(one.model).frames);
}

TEST_CASE("a model file keeps maps; append keeps them, merge refuses other ones") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "m.h5";
  const std::vector<Structure> frames = frames_of(1, 10, {6, 14}), more = frames_of(80, 4, {6, 14});
  const FitConfiguration options = options_of({small_two_body(0.6, 6), compressed("learned", 8)});
  FitResult result = fitted(frames, options);
  save_model(result.model, *result.statistics, path);
  FittedModel loaded;
  loaded.model = load_model(path);
  loaded.stored = load_statistics(path, loaded.model);
  REQUIRE(loaded.model.terms.size() == result.model.terms.size());
  for (std::size_t t = 0; t < loaded.model.terms.size(); ++t) {
    const FeatureMap *was = result.model.terms[t].descriptor->feature_map(), *is = loaded.model.terms[t].descriptor->feature_map();
    REQUIRE((was == nullptr) == (is == nullptr));
    if (!was) continue;
    CHECK(is->kind == "learned");
    CHECK(is->directions == was->directions);
    CHECK(is->mean == was->mean);
    CHECK(is->kept_variance == was->kept_variance);
    CHECK(is->frames == was->frames);
    CHECK(loaded.model.terms[t].kernel->parameters().real("constant") == 16);
  }
  CHECK(largest_prediction_difference(result.model, loaded.model, more) == 0);
  const Matrix before = map_of(loaded.model).directions;
  FittedModel appended = loaded;
  append(appended, MemoryDataset(more));
  CHECK(map_of(appended.model).directions == before);
  CHECK(largest_difference(appended.model.weights, loaded.model.weights) > 0);
  // Other data: another map
  FitResult second = fitted(more, options);
  const FittedModel other{std::move(second.model), std::move(*second.statistics)};
  const std::string message = message_of<InputError>([&] { merge(loaded, other); });
  CHECK(message.find("their features of term 'soap C' were compressed or scaled with different data") != std::string::npos);
}

TEST_CASE("an interrupted fit with a learned map continues from its checkpoint to the same model") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = frames_of(1, 12, {14});
  const FitConfiguration options = options_of({compressed("learned", 8)});
  const FitResult whole = fitted(frames, options);
  FitRun run{.checkpoint_path = (folder.path() / "state").string(), .checkpoint_interval = 0};
  run.progress = [](const ProgressEvent& event) {
    if (event.phase == "fit" && event.message.empty() && event.done >= 0.5 * event.total) throw Interrupted("stop");
  };
  CHECK_THROWS_AS(fitted(frames, options, run), Interrupted);
  REQUIRE(std::filesystem::exists(run.checkpoint_path));
  bool has_continued = false, has_learned = false;
  run.progress = [&](const ProgressEvent& event) {
    has_continued = has_continued || event.message.find("continuing from") != std::string::npos;
    has_learned = has_learned || event.phase.starts_with("compress");
  };
  const FitResult continued = fitted(frames, options, run);
  CHECK(has_continued);
  CHECK(!has_learned);
  CHECK(map_of(continued.model).directions == map_of(whole.model).directions);
  CHECK(map_of(continued.model).frames == map_of(whole.model).frames);
  CHECK(largest_difference(continued.model.weights, whole.model.weights) <= 1e-9 * whole.model.weights.cwiseAbs().maxCoeff());
  // Of another rank or floor: not continued
  for (const bool changes_rank : {false, true}) {
    FitConfiguration other = options;
    if (changes_rank)
      other.terms[0].compression.rank = 7;
    else
      other.terms[0].compression.floor = 1e-2;
    run.progress = [](const ProgressEvent& event) {
      if (event.phase == "fit" && event.message.empty() && event.done >= 0.5 * event.total) throw Interrupted("stop");
    };
    std::filesystem::remove(run.checkpoint_path);
    CHECK_THROWS_AS(fitted(frames, options, run), Interrupted);
    has_continued = false;
    run.progress = [&](const ProgressEvent& event) {
      has_continued = has_continued || event.message.find("continuing from") != std::string::npos;
    };
    fitted(frames, other, run);
    CHECK(!has_continued);
  }
}

TEST_CASE("features from a file, and descriptors of few features, have no compression") {
  const std::vector<Structure> frames = frames_of(1, 6, {14});
  TermOptions listed = compressed("pca", 4);
  listed.selection = "file";
  const TemporaryFolder folder;
  std::string numbers;
  for (int i = 0; i < 18; ++i) numbers += "0.1\n";
  listed.sparse_file[""] = folder.write("points", numbers).string();
  CHECK(message_of<InputError>([&] { fitted(frames, options_of({listed})); }).find("use selection = \"indices\"") != std::string::npos);
  TermOptions pair = small_two_body(0.6, 6);
  pair.compression.kind = "pca";
  CHECK(message_of<InputError>([&] {
          fitted(frames, options_of({pair}));
        }).find("its descriptor has 1 features, a compression needs at least 8") != std::string::npos);
}

TEST_CASE("elements with few environments, and environments that are all alike, have maps") {
  std::vector<Structure> frames = frames_of(1, 6, {14});
  frames.push_back(labelled(random_triclinic(4, 70, {6, 14}), "rare"));
  for (const char* kind : {"pca", "learned"}) {
    CAPTURE(kind);
    const FitResult result = fitted(frames, options_of({compressed(kind, 6)}));
    const Prediction p = Predictor(std::make_shared<const Model>(result.model)).compute(frames.back(), {.energy_std = true});
    CHECK(std::isfinite(p.energy));
    CHECK(p.forces.value().allFinite());
    CHECK(std::isfinite(p.energy_std.value()));
    const FitResult alone = fitted({lone_atom(14), lone_atom(14)}, options_of({compressed(kind, 6)}));
    CHECK(std::isfinite(Predictor(std::make_shared<const Model>(alone.model)).compute(frames.front()).energy));
  }
}

TEST_CASE("principal directions of wide and of many features are those of the second moments") {
  for (const auto& [rows, columns] : {std::pair{40, 12}, {9, 30}}) {
    Matrix x(rows, columns);
    for (Eigen::Index i = 0; i < x.size(); ++i) x.data()[i] = std::sin(0.7 * static_cast<double>(i * i % 1013));
    const PrincipalDirections found = principal_directions(x, 5);
    const Matrix moments = x.transpose() * x / rows;
    REQUIRE(found.values.size() == 5);
    for (Eigen::Index k = 0; k < 5; ++k) {
      const Vector v = found.directions.col(k);
      CHECK(largest_difference(Vector(moments * v), Vector(found.values[k] * v)) <= 1e-10);
      check_close(v.norm(), 1, 1e-12);
      if (k > 0) CHECK(found.values[k] <= found.values[k - 1]);
    }
    CHECK(principal_directions(x, 100).values.size() == std::min(rows, columns));
  }
}
