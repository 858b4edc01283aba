// Thresholds of extrapolation grades: local energies of left-out structures against refits, quantiles, files.

#include <algorithm>
#include <cmath>
#include <gapkit/core/errors.hpp>
#include <gapkit/io/archive.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <gapkit/model/covariance.hpp>
#include <gapkit/model/model_file.hpp>
#include <gapkit/predict/extrapolation.hpp>
#include <gapkit/predict/predictor.hpp>

#include "extrapolation_setup.hpp"
#include "fit/near_copies.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

using Source = CalibrationOptions::Source;

}  // namespace

TEST_CASE("left-out atoms: novelty of each term and variance of the local energy equal refits without structure and points") {
  const TwoTermSetup setup;
  const FileDataset data = setup.data();
  FitConfiguration options = setup.options;
  options.calibration.source = Source::none;
  const FitResult fitted = fit({data}, options);
  const std::vector<std::int64_t> numbers = all_numbers(data);
  for (const bool is_exact : {true, false}) {
    CAPTURE(is_exact);
    LeftOutStructures left_out(fitted.model, fitted.statistics->rules, numbers, 0);
    left_out.add(rows_of(fitted, data, is_exact));
    const std::vector<LeftOutStructure>& structures = left_out.finish();
    REQUIRE(structures.size() == 20);
    double grown = 0;
    for (const std::size_t s : {0u, 3u, 11u}) {
      CAPTURE(s);
      const Model refit = refit_without(setup, fitted.model, structures[s].number).model;
      REQUIRE(refit.factor.size() < fitted.model.factor.size());
      const Structure& frame = setup.frames[s];
      const StructureEnvironments environments(frame, refit.cutoff());
      const std::vector<Variance> without = Covariance(refit).local_energies(environments.view(), frame.size());
      const std::vector<Variance> with = Covariance(fitted.model).local_energies(environments.view(), frame.size());
      REQUIRE(structures[s].local_energies.size() == without.size());
      for (std::size_t i = 0; i < without.size(); ++i) {
        const LeftOutAtom& atom = structures[s].local_energies[i];
        CHECK(atom.element == frame.atomic_numbers[i]);
        check_close(atom.relative, without[i].relative, 1e-8, 1e-6);
        check_close(atom.variance, without[i].total(), 1e-9 * without[i].prior, is_exact ? 1e-6 : 1e-3);
        grown = std::max(grown, without[i].relative / std::max(with[i].relative, 1e-12));
      }
    }
    CHECK(grown > 10);  // points of the structure itself hide its novelty
  }
}

TEST_CASE("thresholds: the smaller of the 99.9 % quantile and 1.5 times the 99 % quantile of the element's left-out atoms") {
  const TwoTermSetup setup;
  const Model model = two_elements(setup);
  std::string said;
  const auto listen = [&](const ProgressEvent& e) { said += e.message + "\n"; };
  std::vector<LeftOutAtom> atoms = many_atoms(2000, 14, 0.04, 0.09);
  // Of squares i/n·max the quantiles are 1998/2000 and 1980/2000; one far atom changes neither.
  atoms.back() = {14, 1.0, 1e6};
  const std::vector<LeftOutAtom> carbon = many_atoms(100, 6, 0.01, 0.04);
  atoms.insert(atoms.end(), carbon.begin(), carbon.end());
  const auto found = extrapolation_thresholds(model, atoms, true, listen);
  REQUIRE(found.size() == 2);
  CHECK(found[0].element == 6);
  CHECK(found[0].atoms == 100);
  check_close(found[0].novelty, 0.1, 0, 1e-12);  // of few atoms the largest
  check_close(found[0].std, 0.2, 0, 1e-12);
  CHECK(found[1].atoms == 2000);
  check_close(found[1].novelty, std::sqrt(0.04 * 1998 / 2000), 0, 1e-12);
  check_close(found[1].std, std::sqrt(0.09 * 1998 / 2000), 0, 1e-12);
  CHECK(said.find("few left-out atoms of C (100)") != std::string::npos);

  said.clear();
  std::vector<LeftOutAtom> uneven = many_atoms(2000, 14, 0.04, 0.09);
  for (std::size_t i = 1990; i < 2000; ++i) uneven[i] = {14, 0.9, 9.0};  // half a percent, far above the others
  const std::vector<LeftOutAtom> lone = many_atoms(19, 6, 0.01, 0.04);
  uneven.insert(uneven.end(), lone.begin(), lone.end());
  const auto capped = extrapolation_thresholds(model, uneven, true, listen);
  REQUIRE(capped.size() == 1);
  CHECK(capped[0].element == 14);
  check_close(capped[0].novelty, 1.5 * std::sqrt(0.04 * 1980 / 2000), 0, 1e-12);
  check_close(capped[0].std, 1.5 * std::sqrt(0.09 * 1980 / 2000), 0, 1e-12);
  CHECK(said.find("no extrapolation grades of C (19): the calibration has fewer than 20") != std::string::npos);

  // Atoms without any novelty: the threshold stays above zero.
  const auto zero = extrapolation_thresholds(model, many_atoms(300, 14, 0, 0), true, {});
  REQUIRE(zero.size() == 1);
  CHECK(zero[0].novelty > 0);
  CHECK(zero[0].std > 0);
}

TEST_CASE("thresholds: odd atoms of a small sample do not set the border") {
  const TwoTermSetup setup;
  const Model model = two_elements(setup);
  std::vector<LeftOutAtom> atoms = many_atoms(60, 14, 0.01, 0.04);
  for (std::size_t i = 57; i < 60; ++i) atoms[i] = {14, 0.9, 9.0};
  const auto found = extrapolation_thresholds(model, atoms, true, {});
  REQUIRE(found.size() == 1);
  check_close(found[0].novelty, 4 * std::sqrt(0.01 * 54 / 60), 0, 1e-12);
  check_close(found[0].std, 4 * std::sqrt(0.04 * 54 / 60), 0, 1e-12);
}

TEST_CASE("thresholds: frames around an atom's own are left out if they matter more than random ones") {
  const TwoTermSetup setup;
  const Model model = two_elements(setup);
  std::string said;
  const auto listen = [&](const ProgressEvent& e) { said += e.message + "\n"; };
  for (const double factor : {1.1, 1.5}) {
    CAPTURE(factor);
    said.clear();
    std::vector<LeftOutAtom> atoms = many_atoms(1000, 14, 0.04, 0.09);
    for (LeftOutAtom& atom : atoms) {
      atom.relative_random = atom.relative * 1.2;
      atom.relative_around = atom.relative_random * factor * factor;
    }
    const auto found = extrapolation_thresholds(model, atoms, true, listen);
    REQUIRE(found.size() == 1);
    const double usual = std::sqrt(0.04 * 999 / 1000);
    check_close(found[0].novelty, factor > 1.15 ? std::sqrt(1.2) * factor * usual : usual, 0, 1e-12);
    CHECK((said.find("nearly copies") != std::string::npos) == (factor > 1.15));
  }
}

TEST_CASE("thresholds: with one composition only the novelty counts") {
  const TwoTermSetup setup;
  const Model model = two_elements(setup);
  Matrix counts(3, 2);
  counts << 2, 4, 4, 8, 1, 2;
  CHECK_FALSE(settles_elements(counts));
  counts(1, 0) = 5;
  CHECK(settles_elements(counts));
  CHECK(settles_elements(Matrix::Constant(3, 1, 8)));  // one element
  std::string said;
  const auto found =
      extrapolation_thresholds(model, many_atoms(300, 14, 0.04, 0.09), false, [&](const ProgressEvent& e) { said += e.message; });
  REQUIRE(found.size() == 1);
  CHECK(said.find("do not settle the split of energies") != std::string::npos);
  Model graded = model;
  graded.calibration = Calibration{};
  graded.calibration->extrapolation = found;
  const Variance local{.novelty = 1e6, .relative = found[0].novelty * found[0].novelty};
  check_close(extrapolation_grade(graded, 14, local), 1, 0, 1e-12);  // whatever the variance
}

TEST_CASE("frames around a frame: of its config type, at most a twentieth of them on each side") {
  const TwoTermSetup setup;
  const Model model = two_elements(setup);
  DatasetSummary summary;
  summary.config_types = {"a", "b"};
  for (int i = 0; i < 300; ++i) summary.frames.push_back({.number = i, .atoms = i == 7 ? 1 : 8, .config_type = i % 3 == 0 ? 1 : 0});
  const NearCopies copies(model, summary, 1);
  const std::vector<std::int64_t> of_a = copies.around(100), of_b = copies.around(30), first = copies.around(1);
  CHECK(of_a.size() == 19);  // 199 of "a": nine before and after
  CHECK(of_b == std::vector<std::int64_t>{15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45});
  CHECK(first == std::vector<std::int64_t>{1, 2, 4, 5, 8, 10, 11, 13, 14, 16});
  const std::vector<std::int64_t> random = copies.random(100);
  CHECK(random.size() == of_a.size());
  CHECK(std::binary_search(random.begin(), random.end(), 100));
  CHECK(std::adjacent_find(random.begin(), random.end(), std::greater_equal<>()) == random.end());
  CHECK(std::all_of(random.begin(), random.end(), [](std::int64_t n) { return n % 3 != 0 && n != 7; }));
  CHECK(random != of_a);
  CHECK(copies.around(7) == std::vector<std::int64_t>{7});
}

TEST_CASE("novelty without the points of other frames equals their projection") {
  const TwoTermSetup setup;
  const Model model = two_elements(setup);
  DatasetSummary summary;
  for (int i = 0; i < 60; ++i) summary.frames.push_back({.number = i, .atoms = 8});
  const NearCopies copies(model, summary, 1);
  const LocalEnergies local(model);
  const LocalEnergies::Rows rows = local.of(setup.frames[3]);
  std::vector<LeftOutAtom> atoms;
  for (const int z : rows.element) atoms.push_back({z, 0, 0});
  copies.add(3, rows.rows, rows.prior, atoms);
  const std::vector<std::int64_t> frames = copies.around(3);
  std::vector<Eigen::Index> points;
  for (std::size_t t = 0; t < model.terms.size(); ++t)
    for (std::size_t m = 0; m < model.terms[t].sparse.origin.size(); ++m)
      if (std::binary_search(frames.begin(), frames.end(), model.terms[t].sparse.origin[m].frame))
        points.push_back(model.factor.offsets()[t] + static_cast<Eigen::Index>(m));
  REQUIRE(points.size() > 1);
  const RelativeNovelty novelty(model);
  const Matrix directions = directions_of_points(model.factor, points), along = rows.rows * directions.transpose();
  Matrix spanned = novelty.spanned(rows.rows);
  const auto& offsets = model.factor.offsets();
  for (std::size_t k = 0; k < points.size(); ++k) {
    const auto term = std::upper_bound(offsets.begin(), offsets.end(), points[k]) - offsets.begin() - 1;
    spanned.col(term) -= along.col(static_cast<Eigen::Index>(k)).cwiseAbs2();
  }
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    const double expected = novelty.square(atoms[i].element, spanned.row(row).cwiseMax(0.0), rows.prior.row(row));
    check_close(atoms[i].relative_around, expected, 1e-9, 1e-6);
    CHECK(atoms[i].relative_around >= novelty.square(atoms[i].element, novelty.spanned(rows.rows).row(row), rows.prior.row(row)) - 1e-12);
  }
}

TEST_CASE("fits have thresholds if left-out structures calibrate them; files keep them, and predictions use them") {
  const TwoTermSetup setup;
  const Model fitted = fit(setup.options).model;
  REQUIRE(fitted.calibration.has_value());
  const auto& thresholds = fitted.calibration->extrapolation;
  REQUIRE(thresholds.size() == 2);
  CHECK(thresholds[0].atoms + thresholds[1].atoms == 80);
  const std::string path = (setup.folder.path() / "model.h5").string();
  save_model(fitted, path);
  const auto model = std::make_shared<const Model>(load_model(path));
  REQUIRE(model->has_extrapolation());
  for (std::size_t i = 0; i < 2; ++i) {
    const ExtrapolationThreshold &a = model->calibration->extrapolation[i], &b = thresholds[i];
    CHECK(a.element == b.element);
    CHECK(a.novelty == b.novelty);
    CHECK(a.std == b.std);
    CHECK(a.atoms == b.atoms);
  }
  Predictor predictor(model);
  double largest_known = 0;
  for (const Structure& frame : setup.frames)
    largest_known = std::max(largest_known, predictor.compute(frame, {.extrapolation = true}).extrapolation->maxCoeff());
  CHECK(largest_known <= 1);  // with the structure itself in the fit
  Structure squeezed = setup.frames[0];
  *squeezed.cell *= 0.6;
  squeezed.positions *= 0.6;
  const Vector grades = *predictor.compute(squeezed, {.extrapolation = true}).extrapolation;
  MESSAGE("largest grade of the training structures ", largest_known, ", of the squeezed one ", grades.maxCoeff());
  CHECK(grades.maxCoeff() > 1.1 * largest_known);

  FitConfiguration other = setup.options;
  other.calibration.source = Source::holdout;
  other.calibration.holdout = 0.5;
  other.calibration.fewest_structures = 1;
  CHECK_FALSE(fit(other).model.has_extrapolation());
  other.calibration.source = Source::none;
  CHECK_FALSE(fit(other).model.has_extrapolation());
}

TEST_CASE("thresholds of extrapolation grades do not depend on the memory for rows, nor on the number of threads") {
  const TwoTermSetup setup;
  const FileDataset data = setup.data();
  const FitResult whole = fit({data}, setup.options);
  const auto expected = whole.model.calibration.value().extrapolation;
  FitConfiguration small = setup.options;
  small.memory = whole.report.plan.memory_bytes * 1e-9 * 1.0001;  // room for the rows of a few structures
  const int threads = thread_count();
  for (const int count : {1, 3}) {
    set_thread_count(count);
    const auto found = fit({data}, count == 1 ? small : setup.options).model.calibration.value().extrapolation;
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      check_close(found[i].novelty, expected[i].novelty, 0, 1e-6);
      check_close(found[i].std, expected[i].std, 0, 1e-5);
    }
  }
  set_thread_count(threads);
}

TEST_CASE("a model file with damaged thresholds of extrapolation grades is refused with a sentence") {
  const TwoTermSetup setup;
  const Model fitted = fit(setup.options).model;
  const std::string path = (setup.folder.path() / "damaged.h5").string();
  const auto refusal = [&](const std::vector<ExtrapolationThreshold>& thresholds) {
    Model model = fitted;
    model.calibration->extrapolation = thresholds;
    save_model(model, path);
    return message_of<InputError>([&] { load_model(path); });
  };
  const double nan = std::nan("");
  CHECK(refusal({{6, 0.1, 0.1, 50}, {14, 0.1, 0.1, 50}}).empty());
  CHECK(refusal({{14, 0.1, 0.1, 50}, {6, 0.1, 0.1, 50}}).find("do not ascend") != std::string::npos);
  CHECK(refusal({{6, 0.1, 0.1, 50}, {6, 0.1, 0.1, 50}}).find("do not ascend") != std::string::npos);
  CHECK(refusal({{500, 0.1, 0.1, 50}}).find("do not ascend") != std::string::npos);
  CHECK(refusal({{6, 0, 0.1, 50}}).find("extrapolation thresholds of C are 0, 0.1 eV and ") != std::string::npos);
  CHECK(refusal({{6, 0.1, nan, 50}}) != "");
  CHECK(refusal({{6, nan, 0.1, 50}}) != "");
  CHECK(refusal({{6, 0.1, 0.1, 50, 0.2}}).empty());
  CHECK(refusal({{6, 0.1, 0.1, 50, -0.2}}).find("and -0.2 from 50 atoms") != std::string::npos);
  CHECK(refusal({{6, 0.1, 0.1, 0}}).find("from 0 atoms") != std::string::npos);
  // Without thresholds the file is that of earlier versions.
  CHECK(refusal({}).empty());
  CHECK_FALSE(load_model(path).has_extrapolation());
  CHECK_FALSE(open_model(path).has("extrapolation/elements"));
}
