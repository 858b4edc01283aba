// Passes over data that several processes share (threads in their place): the result is that of one.

#include <gapkit/core/communicator.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>
#include <gapkit/fit/update.hpp>
#include <gapkit/predict/predictor.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"
#include "support/thread_processes.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Frames of different sizes with more rows than a few batches hold.
struct DividedSetup {
  TemporaryFolder folder;
  std::vector<Structure> frames;
  FitConfiguration options;

  explicit DividedSetup(int count = 40) {
    for (int i = 0; i < count; ++i)
      frames.push_back(labelled(random_triclinic(4 + i % 5, static_cast<unsigned>(i + 1), {6, 14}), i % 3 ? "many" : "few"));
    frames.push_back(lone_atom(14));
    options =
        small_options(write_frames((folder.path() / "train.xyz").string(), frames), {small_two_body(0.6, 8), small_soap(2, 2, 3, 12)});
    options.keep_statistics = true;
  }
};

std::vector<double> predictions(const Model& model) {
  Predictor predictor(std::make_shared<const Model>(model));
  std::vector<double> all;
  for (const unsigned seed : {91u, 92u, 93u}) {
    const Prediction p = predictor.compute(random_triclinic(6, seed, {6, 14}), {.forces = true});
    all.push_back(p.energy);
    all.insert(all.end(), p.forces->data(), p.forces->data() + p.forces->size());
  }
  return all;
}

double largest_change(const Model& model, const std::vector<double>& expected) {
  const std::vector<double> found = predictions(model);
  REQUIRE(found.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) worst = worse(worst, std::abs(found[i] - expected[i]));
  return worst;
}

/// Of the elements of the sums, relative to the largest of the group.
double largest_change(const SufficientStatistics& found, const SufficientStatistics& expected) {
  REQUIRE(found.groups.size() == expected.groups.size());
  double worst = 0;
  for (std::size_t g = 0; g < found.groups.size(); ++g) {
    const GroupStatistics &a = found.groups[g], &b = expected.groups[g];
    CHECK(a.group.same_rows(b.group));
    CHECK(a.count == b.count);
    const Matrix gram = b.gram.dense();
    const auto relative = [&](double difference, double size) { worst = worse(worst, size == 0 ? difference : difference / size); };
    relative(largest_difference(a.gram.dense(), gram), largest_entry(gram));
    relative(largest_difference(a.moment, b.moment), largest_entry(b.moment));
    relative(std::abs(a.target_square - b.target_square), b.target_square);
    REQUIRE(a.prior.size() == b.prior.size());
    for (std::size_t t = 0; t < a.prior.size(); ++t) relative(std::abs(a.prior[t] - b.prior[t]), std::abs(b.prior[t]));
  }
  return worst;
}

void check_equal_calibrations(const Model& found, const Model& expected) {
  REQUIRE(found.calibration.has_value());
  REQUIRE(expected.calibration.has_value());
  REQUIRE(found.calibration->factors.size() == expected.calibration->factors.size());
  for (std::size_t i = 0; i < found.calibration->factors.size(); ++i) {
    const CalibrationFactors &a = found.calibration->factors[i], &b = expected.calibration->factors[i];
    CHECK(a.property == b.property);
    CHECK(a.rows == b.rows);
    CHECK(is_close(a.a, b.a, 1e-5, 1e-5));
    CHECK(is_close(a.b, b.b, 1e-5, 1e-5));
  }
}

}  // namespace

TEST_CASE("a fit that processes share predicts as a fit in one process, with its error bars") {
  DividedSetup setup;
  setup.options.calibration = {.source = CalibrationOptions::Source::leave_one_out, .fewest_structures = 5};
  for (const bool has_prior : {false, true}) {
    CAPTURE(has_prior);
    if (has_prior) {
      setup.options.optimize.objective = OptimizeOptions::Objective::vfe;
      setup.options.optimize.max_evaluations = 5;
      setup.options.optimize.folds = 3;
    }
    const FitResult alone = fit(setup.options);
    REQUIRE(alone.model.calibration.has_value());
    const std::vector<double> expected = predictions(alone.model);
    for (const int size : {2, 3, 5}) {
      CAPTURE(size);
      const ThreadProcesses processes(size);
      const FitResult shared = fit(setup.options);
      CHECK(processes.bytes() > 10'000);
      CHECK(largest_change(shared.model, expected) < (has_prior ? 1e-6 : 1e-9));  // the search for σ amplifies rounding
      CHECK(is_close(shared.model.posterior.log_evidence, alone.model.posterior.log_evidence, 0, 1e-9));
      REQUIRE(shared.statistics.has_value());
      CHECK(shared.statistics->statistics.row_count() == alone.statistics->statistics.row_count());
      CHECK(largest_change(shared.statistics->statistics, alone.statistics->statistics) < 1e-12);
      check_equal_calibrations(shared.model, alone.model);
    }
  }
}

TEST_CASE("the rows of all structures of a calibration come from all processes") {
  DividedSetup setup;
  setup.options.calibration = {.source = CalibrationOptions::Source::leave_one_out, .fewest_structures = 5};
  setup.options.memory =
      1e-9 + plan_fit(FitFiles(setup.options.train, {}, setup.options.used_keys()).data(), setup.options).memory_bytes * 1e-9;
  const FitResult alone = fit(setup.options);
  const ThreadProcesses processes(3);
  const FitResult shared = fit(setup.options);
  CHECK(largest_change(shared.model, predictions(alone.model)) < 1e-9);
  check_equal_calibrations(shared.model, alone.model);
}

TEST_CASE("a checkpoint continues with another number of processes") {
  DividedSetup setup(900);  // several blocks
  setup.options.checkpoint_path = (setup.folder.path() / "state").string();
  const std::vector<double> expected = predictions(fit(setup.options).model);
  for (const double interval : {0.0, 1e6}) {  // saved at each block, and at the interruption only
    CAPTURE(interval);
    setup.options.checkpoint_interval = interval;
    for (const auto& sizes : {std::pair(2, 3), std::pair(3, 1), std::pair(1, 2)}) {
      const int first = sizes.first, second = sizes.second;
      CAPTURE(first);
      CAPTURE(second);
      for (const double stop : {0.0, 0.7}) {  // the first may come before a block is sent
        CAPTURE(stop);
        std::filesystem::remove(setup.options.checkpoint_path);
        std::string continued;
        const auto fit_with = [&](int size, double part) {
          std::optional<ThreadProcesses> processes;
          if (size > 1) processes.emplace(size);
          return fit(setup.options, [&](const ProgressEvent& event) {
            if (event.message.find("continuing from") != std::string::npos) continued = event.message;
            if (event.phase == "fit" && event.message.empty() && event.done > part * event.total) throw Interrupted("stop");
          });
        };
        CHECK_THROWS_AS(fit_with(first, stop), Interrupted);
        REQUIRE(std::filesystem::exists(setup.options.checkpoint_path));
        CHECK(continued.empty());
        const FitResult result = fit_with(second, 2);
        CHECK(continued.find(" of 901 frames") != std::string::npos);
        CHECK(largest_change(result.model, expected) < 1e-9);
      }
    }
  }
}

TEST_CASE("frames that processes append together count as in one") {
  DividedSetup setup;
  const FitResult fitted = fit(setup.options);
  std::vector<Structure> more;
  for (unsigned seed = 201; seed < 215; ++seed) more.push_back(labelled(random_triclinic(5, seed, {6, 14}), "many"));
  const FileDataset data({write_frames((setup.folder.path() / "more.xyz").string(), more)});
  FittedModel alone{fitted.model, *fitted.statistics}, shared = alone;
  append(alone, data);
  const ThreadProcesses processes(3);
  append(shared, data);
  CHECK(processes.bytes() > 5'000);
  CHECK(largest_change(shared.model, predictions(alone.model)) < 1e-9);
}

TEST_CASE("a fit that was given up leaves the processes ready for the next one") {
  DividedSetup setup;
  const std::vector<double> expected = predictions(fit(setup.options).model);
  const ThreadProcesses processes(3);
  for (int i = 0; i < 3; ++i)
    CHECK_THROWS_AS(fit(setup.options,
                        [&](const ProgressEvent& event) {
                          if (event.phase == "fit" && event.message.empty()) throw NumericalError("given up");
                        }),
                    NumericalError);
  CHECK(largest_change(fit(setup.options).model, expected) < 1e-9);
}
