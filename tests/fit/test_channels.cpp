// Channels of SOAP that are contracted by matrices from the training data.

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/descriptors/feature_map.hpp>
#include <gapkit/fit/calibrate.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/model.hpp>
#include <gapkit/predict/predictor.hpp>

#include "fit/channels.hpp"
#include "learned_setup.hpp"
#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

TermOptions contracted(std::int64_t channels, const std::string& compression = "none") {
  TermOptions term = small_soap(3, 2, 3, 14);
  if (channels > 0) term.descriptor_parameters.set("channels", channels);
  term.compression.kind = compression;
  if (compression != "none") term.compression.rank = 6;
  if (compression == "learned") {
    term.kernel = "polynomial";
    term.kernel_parameters = {{"zeta", std::int64_t{3}}, {"constant", 16.0}};
  }
  return term;
}

// Of the last term.
const ChannelBasis& basis_of(const Model& model) {
  const ContractedChannels* channels = model.terms.back().descriptor->contracted_channels();
  REQUIRE(channels != nullptr);
  REQUIRE(channels->basis() != nullptr);
  return *channels->basis();
}

double largest_basis_difference(const Model& a, const Model& b) {
  double worst = 0;
  for (std::size_t l = 0; l < basis_of(a).contraction.size(); ++l)
    worst = worse(worst, largest_difference(basis_of(a).contraction[l], basis_of(b).contraction[l]));
  return worst;
}

double largest_difference_of(const Model& a, const Model& b, const std::vector<Structure>& structures, bool is_single = false) {
  Predictor first(std::make_shared<const Model>(a)), second(std::make_shared<const Model>(b));
  double worst = 0;
  for (const Structure& s : structures) {
    const bool has_bars = !is_single;  // which are in double precision
    PredictionRequest request{.energy_std = has_bars};
    const Prediction p = first.compute(s, request);
    request.single_precision = is_single;
    const Prediction q = second.compute(s, request);
    worst = worse(worst, std::abs(p.energy - q.energy));
    worst = worse(worst, largest_difference(p.forces.value(), q.forces.value()));
    if (has_bars) worst = worse(worst, std::abs(p.energy_std.value() - q.energy_std.value()));
  }
  return worst;
}

// Moments of all environments of the frames.
std::vector<Matrix> moments_of(const ContractedChannels& channels, double cutoff, const std::vector<Structure>& frames) {
  std::vector<Matrix> moments = channels.no_moments();
  for (const Structure& s : frames) {
    const StructureEnvironments near(s, cutoff);
    channels.add_moments(near.view(), 0, s.size(), moments);
  }
  return moments;
}

}  // namespace

TEST_CASE("channels are the leading eigenvectors of the coefficients' second moments, for each l and centre element") {
  const std::vector<Structure> frames = frames_of(1, 8, {6, 14});
  const FitResult result = fitted(frames, options_of({contracted(3)}));
  REQUIRE(result.model.terms.size() == 2);
  for (const Term& term : result.model.terms) {
    CAPTURE(term.label());
    CHECK(term.descriptor->size() == 3 * 6);
    const ContractedChannels& channels = *term.descriptor->contracted_channels();
    REQUIRE(channels.basis() != nullptr);
    const std::vector<Matrix> moments = moments_of(channels, term.descriptor->cutoff(), frames);
    REQUIRE(channels.basis()->contraction.size() == 3);
    for (std::size_t l = 0; l < 3; ++l) {
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(moments[l]);
      const Matrix& w = channels.basis()->contraction[l];
      CHECK(largest_difference(Matrix(w * w.transpose()), Matrix::Identity(3, 3)) <= 1e-12);
      double kept = 0;
      for (Eigen::Index k = 0; k < 3; ++k) {
        const Vector expected = solver.eigenvectors().col(5 - k);
        check_close(std::abs(w.row(k).dot(expected)), 1, 1e-9);
        kept += solver.eigenvalues()[5 - k];
      }
      check_close(channels.basis()->kept[l], kept / solver.eigenvalues().sum(), 1e-10);
    }
  }
  CHECK(largest_difference(basis_of(result.model).contraction[0],
                           result.model.terms[0].descriptor->contracted_channels()->basis()->contraction[0]) > 1e-3);
}

TEST_CASE("with all channels the model predicts the same as without a contraction; with fewer it does not") {
  for (const std::vector<int>& elements : {std::vector<int>{14}, {6, 14}}) {
    const std::vector<Structure> frames = frames_of(1, 8, elements), other = frames_of(50, 3, elements);
    const auto count = static_cast<std::int64_t>(3 * elements.size());
    TermOptions without = contracted(0), all = contracted(count), few = contracted(2);
    without.selection = all.selection = few.selection = "all";  // rounding decides the choice among equal ones
    const FitResult plain = fitted(frames, options_of({without}));
    CHECK(largest_difference_of(plain.model, fitted(frames, options_of({all})).model, other) <= 1e-6);
    CHECK(largest_difference_of(plain.model, fitted(frames, options_of({few})).model, other) > 1e-4);
  }
}

TEST_CASE("held-out structures do not enter the channels; structures of the fit do, their labels do not") {
  const std::vector<Structure> frames = frames_of(1, 24, {14});
  FitConfiguration options = options_of({small_two_body(0.6, 6), contracted(2)});
  options.calibration.source = CalibrationOptions::Source::holdout;
  options.calibration.holdout = 0.2;
  options.calibration.fewest_structures = 1;
  const MemoryDataset data(frames);
  const std::vector<std::int64_t> held_out = choose_held_out(data, 0.2, 1, options.seed).front();
  REQUIRE(held_out.size() >= 3);
  const FitResult first = fit(FitData{data}, options);
  const auto moved = [&](const std::vector<std::int64_t>& numbers) {
    std::vector<Structure> other = frames;
    for (const std::int64_t number : numbers) other[static_cast<std::size_t>(number)].positions(0, 0) += 0.3;
    return fitted(other, options);
  };
  CHECK(largest_basis_difference(moved(held_out).model, first.model) == 0);
  std::int64_t trained = 0;
  while (std::binary_search(held_out.begin(), held_out.end(), trained)) ++trained;
  CHECK(largest_basis_difference(moved({trained}).model, first.model) > 1e-6);
  std::vector<Structure> relabelled = frames;
  for (Structure& s : relabelled) *s.energy += 1;
  CHECK(largest_basis_difference(fitted(relabelled, options).model, first.model) == 0);
}

TEST_CASE("channels do not depend on the number of threads, beyond rounding") {
  const std::vector<Structure> frames = frames_of(1, 10, {6, 14}), other = frames_of(60, 3, {6, 14});
  const FitConfiguration options = options_of({small_two_body(0.6, 6), contracted(4)});
  const int threads = thread_count();
  set_thread_count(1);
  const FitResult one = fitted(frames, options), again = fitted(frames, options);
  set_thread_count(4);
  const FitResult four = fitted(frames, options);
  set_thread_count(threads);
  CHECK(largest_basis_difference(one.model, again.model) == 0);
  CHECK(largest_difference_of(one.model, again.model, other) == 0);
  CHECK(largest_basis_difference(one.model, four.model) <= 1e-9);
  CHECK(largest_difference_of(one.model, four.model, other) <= 1e-6);
}

TEST_CASE("a model file keeps channels, alone and with a compression; append keeps them, merge refuses other ones") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "m.h5";
  const std::vector<Structure> frames = frames_of(1, 10, {6, 14}), more = frames_of(80, 4, {6, 14});
  for (const char* compression : {"none", "pca", "learned"}) {
    CAPTURE(compression);
    const FitConfiguration options = options_of({small_two_body(0.6, 6), contracted(4, compression)});
    FitResult result = fitted(frames, options);
    save_model(result.model, *result.statistics, path);
    CHECK_THROWS_AS(ArchiveReader(path, "gapkit-model", 6), InputError);  // earlier versions refuse it
    FittedModel loaded;
    loaded.model = load_model(path);
    loaded.stored = load_statistics(path, loaded.model);
    const FeatureMap* map = loaded.model.terms.back().descriptor->feature_map();
    CHECK((map != nullptr) == (std::string(compression) != "none"));
    if (map) CHECK(map->directions.rows() == 3 * 10);
    CHECK(largest_basis_difference(loaded.model, result.model) == 0);
    CHECK(basis_of(loaded.model).kept == basis_of(result.model).kept);
    CHECK(largest_difference_of(result.model, loaded.model, more) == 0);
    const double single = largest_difference_of(result.model, loaded.model, more, true);
    CHECK(single > 0);
    CHECK(single <= 1e-3);
    FittedModel appended = loaded;
    append(appended, MemoryDataset(more));
    CHECK(largest_basis_difference(appended.model, loaded.model) == 0);
    CHECK(largest_difference(appended.model.weights, loaded.model.weights) > 0);
    FitResult second = fitted(more, options);
    const FittedModel other{std::move(second.model), std::move(*second.statistics)};
    const std::string message = message_of<InputError>([&] { merge(loaded, other); });
    CHECK(message.find("their features of term 'soap C' were compressed or scaled with different data") != std::string::npos);
  }
  std::vector<FittedModel> of_channels;  // different shapes
  for (const int channels : {2, 3}) {
    FitResult result = fitted(frames, options_of({contracted(channels)}));
    of_channels.push_back({std::move(result.model), std::move(*result.statistics)});
  }
  CHECK(message_of<InputError>([&] { merge(of_channels[0], of_channels[1]); }) != "");
  const FitResult plain = fitted(frames, options_of({contracted(0)}));
  save_model(plain.model, path);
  CHECK_NOTHROW(ArchiveReader(path, "gapkit-model", 1));
}

TEST_CASE("an interrupted fit with channels continues from its checkpoint to the same model") {
  const TemporaryFolder folder;
  const std::vector<Structure> frames = frames_of(1, 12, {14});
  FitConfiguration options = options_of({contracted(2)});
  const FitResult whole = fitted(frames, options);
  FitRun run{.checkpoint_path = (folder.path() / "state").string(), .checkpoint_interval = 0};
  const auto interrupt = [](const ProgressEvent& event) {
    if (event.phase == "fit" && event.message.empty() && event.done >= 0.5 * event.total) throw Interrupted("stop");
  };
  bool has_continued = false, has_made = false;
  const auto watch = [&](const ProgressEvent& event) {
    has_continued = has_continued || event.message.find("continuing from") != std::string::npos;
    has_made = has_made || event.phase == "channels";
  };
  run.progress = interrupt;
  CHECK_THROWS_AS(fitted(frames, options, run), Interrupted);
  REQUIRE(std::filesystem::exists(run.checkpoint_path));
  run.progress = watch;
  const FitResult continued = fitted(frames, options, run);
  CHECK(has_continued);
  CHECK(!has_made);
  CHECK(largest_basis_difference(continued.model, whole.model) == 0);
  CHECK(largest_difference(continued.model.weights, whole.model.weights) <= 1e-9 * whole.model.weights.cwiseAbs().maxCoeff());
  // Other channels: not continued
  run.progress = interrupt;
  std::filesystem::remove(run.checkpoint_path);
  CHECK_THROWS_AS(fitted(frames, options, run), Interrupted);
  options.terms[0].descriptor_parameters.set("channels", std::int64_t{3});
  has_continued = false;
  run.progress = watch;
  fitted(frames, options, run);
  CHECK(!has_continued);
  CHECK(has_made);
}

TEST_CASE("more channels than there are, and sparse points from a file, are refused; earlier sparse points are chosen anew") {
  const std::vector<Structure> frames = frames_of(1, 8, {6, 14});
  const std::string message = message_of<InputError>([&] { fitted(frames, options_of({contracted(7)})); });
  CHECK(message.find("term 'soap': channels = 7, but there are 6 to contract (2 elements times n_max)") != std::string::npos);
  CHECK_NOTHROW(fitted(frames, options_of({contracted(6)})));
  TermOptions listed = contracted(2);
  listed.selection = "file";
  const TemporaryFolder folder;
  std::string numbers;
  for (int i = 0; i < 9; ++i) numbers += "0.1\n";
  listed.sparse_file[""] = folder.write("points", numbers).string();
  CHECK(message_of<InputError>([&] { fitted(frames, options_of({listed})); }).find("use selection = \"indices\"") != std::string::npos);
  // Points of a model with other channels
  const FitResult earlier = fitted(frames_of(40, 8, {6, 14}), options_of({contracted(3)})),
                  fresh = fitted(frames, options_of({contracted(3)}));
  const MemoryDataset data(frames);
  FitData with_points{data};
  for (const Term& term : earlier.model.terms) with_points.kept_points[term.label()] = term.sparse;
  CHECK(fit(with_points, options_of({contracted(3)})).model.terms[0].sparse.x == fresh.model.terms[0].sparse.x);
}

TEST_CASE("directions without moments are completed by axes: rare elements and lone atoms have channels") {
  Matrix some = Matrix::Zero(4, 4);
  some(1, 1) = 2;
  some(3, 3) = 1;
  const ChannelBasis basis = leading_channels({some, Matrix::Zero(4, 4)}, 3);
  Matrix expected = Matrix::Zero(3, 4);
  expected(0, 1) = expected(1, 3) = expected(2, 0) = 1;
  CHECK(largest_difference(basis.contraction[0], expected) <= 1e-15);
  CHECK(largest_difference(basis.contraction[1], Matrix(Matrix::Identity(4, 4).topRows(3))) <= 1e-15);
  CHECK(basis.kept == std::vector<double>{1, 1});
  std::vector<Structure> frames = frames_of(1, 6, {14});
  frames.push_back(lone_atom(6));
  const FitResult result = fitted(frames, options_of({contracted(5)}));
  for (const Term& term : result.model.terms)
    for (const Matrix& w : term.descriptor->contracted_channels()->basis()->contraction)
      CHECK(largest_difference(Matrix(w * w.transpose()), Matrix::Identity(5, 5)) <= 1e-12);
  const Prediction p =
      Predictor(std::make_shared<const Model>(result.model)).compute(frames_of(70, 1, {6, 14}).front(), {.energy_std = true});
  CHECK(std::isfinite(p.energy));
  CHECK(p.forces.value().allFinite());
  CHECK(std::isfinite(p.energy_std.value()));
}

TEST_CASE("the sample behind the channels has every config type and set of elements, a bounded number of atoms, and a seed") {
  std::vector<Structure> frames = frames_of(1, 60, {14});
  for (Structure& s : frames_of(100, 60, {6, 14})) frames.push_back(std::move(s));
  frames.push_back(lone_atom(29));
  const DatasetSummary summary = MemoryDataset(frames).summary();
  const std::vector<std::int64_t> sample = channel_sample(summary, 80, 0);
  CHECK(std::is_sorted(sample.begin(), sample.end()));
  CHECK(std::adjacent_find(sample.begin(), sample.end()) == sample.end());
  CHECK(sample.back() == 120);
  CHECK(sample.size() >= 20);
  CHECK(sample.size() <= 22);
  CHECK(channel_sample(summary, 80, 0) == sample);
  CHECK(channel_sample(summary, 80, 1) != sample);
  CHECK(channel_sample(summary, 1'000'000, 0).size() == frames.size());
  CHECK(channel_sample(summary, 0, 0).size() >= 4);  // one of each
}
