// A checkpoint that cannot be written must not cost the fit (what one is good for is tested through the programs: apps/random_kills.py).

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <gapkit/core/errors.hpp>
#include <gapkit/fit/fit.hpp>

#include "support/pair_potential.hpp"
#include "support/small_fits.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

struct Place {
  TemporaryFolder folder;
  FitConfiguration options;

  Place() {
    options = small_options(write_frames((folder.path() / "train.xyz").string(), toy_training_frames({14})), {small_soap(3, 2, 2, 10)});
    options.checkpoint_interval = 0;
  }
};

// Interrupts a fit once this part of the data has been taken up. (How many events come before depends on the threads.)
ProgressCallback stop_after(double part) {
  return [part](const ProgressEvent& event) {
    if (event.phase == "fit" && event.message.empty() && event.done >= part * event.total) throw Interrupted("stop");
  };
}

}  // namespace

TEST_CASE("a checkpoint that cannot be written is a warning, once, and the fit's result is the same") {
  Place place;
  const Vector expected = fit(place.options).model.weights;
  std::filesystem::create_directory(place.folder.path() / "occupied");
  place.folder.write("occupied/precious", "x");
  for (const char* path : {"missing/checkpoint", "occupied", "train.xyz/checkpoint"}) {
    CAPTURE(path);
    place.options.checkpoint_path = (place.folder.path() / path).string();
    int warnings = 0;
    const FitResult result = fit(place.options, [&](const ProgressEvent& event) {
      if (!event.is_warning || event.message.find("goes on without saving") == std::string::npos) return;
      ++warnings;
      CHECK(event.message.find(path) != std::string::npos);
    });
    CHECK(warnings == 1);
    CHECK(largest_difference(result.model.weights, expected) == 0);
  }
}

TEST_CASE("an interruption passes through where no checkpoint can be written") {
  Place place;
  place.options.checkpoint_path = (place.folder.path() / "missing/checkpoint").string();
  for (const double part : {0.0, 0.5}) {
    CAPTURE(part);
    CHECK_THROWS_AS(fit(place.options, stop_after(part)), Interrupted);
  }
  // Also if whoever listens throws at the warning itself
  CHECK_THROWS_AS(fit(place.options,
                      [](const ProgressEvent& event) {
                        if (event.is_warning && event.phase == "fit") throw Interrupted("stop");
                      }),
                  Interrupted);
}

TEST_CASE("what a killed fit left of a checkpoint is removed by the next fit, even if that writes none") {
  Place place;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  const auto stale = place.folder.write("model.h5.checkpoint." + std::to_string(child) + ".0.tmp", "x");
  place.options.checkpoint_path = (place.folder.path() / "model.h5.checkpoint").string();
  place.options.checkpoint_interval = 1e6;
  fit(place.options);
  CHECK(!std::filesystem::exists(stale));
}

namespace {

// What fit() says about the checkpoint that it finds: "continues", "ignored" or "".
struct Continued {
  FitResult result;
  std::string answer;
};

Continued continued(const FitConfiguration& options) {
  Continued c;
  c.result = fit(options, [&](const ProgressEvent& event) {
    if (event.message.find("continuing from") != std::string::npos) c.answer = "continues";
    if (event.message.find("is ignored") != std::string::npos) c.answer = "ignored";
  });
  return c;
}

// Leaves the checkpoint of a fit that was stopped after this part of the data.
void interrupt(const FitConfiguration& options, double part) {
  std::filesystem::remove(options.checkpoint_path);
  CHECK_THROWS_AS(fit(options, stop_after(part)), Interrupted);
  REQUIRE(std::filesystem::exists(options.checkpoint_path));
}

FitConfiguration without_checkpoint(FitConfiguration options) {
  options.checkpoint_path.clear();
  return options;
}

}  // namespace

TEST_CASE("a checkpoint of other options or data is not continued, without any text of the configuration") {
  Place place;
  const std::string points = place.folder.write("points", "0.5\n2.5\n3\n").string();
  TermOptions pair = small_two_body(0.7, 6), listed = small_two_body(0.9, 3);
  listed.name = "listed";
  listed.selection = "file";
  listed.sparse_file[""] = points;
  FitConfiguration& options = place.options;
  options.terms.push_back(pair);
  options.terms.push_back(listed);
  options.checkpoint_path = (place.folder.path() / "state").string();
  const std::vector<Structure> frames = toy_training_frames({14});
  using Change = std::function<void(FitConfiguration&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"seed", [](FitConfiguration& o) { o.seed = 9; }},
      {"delta", [](FitConfiguration& o) { o.terms[0].delta *= 2; }},
      {"delta of a combination", [](FitConfiguration& o) { o.terms[1].species_delta["Si-Si"] = 0.01; }},
      {"cutoff", [](FitConfiguration& o) { o.terms[0].descriptor_parameters.set("cutoff", 3.2); }},
      {"kernel", [](FitConfiguration& o) { o.terms[1].kernel_parameters.set("length_scale", 0.31); }},
      {"length scale", [](FitConfiguration& o) { o.terms[1].length_scale_fraction = 0.2; }},
      {"n_sparse", [](FitConfiguration& o) { o.terms[1].n_sparse = 5; }},
      {"selection", [](FitConfiguration& o) { o.terms[0].selection = "fps"; }},
      {"max_candidates", [](FitConfiguration& o) { o.terms[0].max_candidates = 12; }},
      {"a term less", [](FitConfiguration& o) { o.terms.erase(o.terms.begin() + 1); }},
      {"listed points", [&](FitConfiguration&) { place.folder.write("points", "0.5\n2.6\n3\n"); }},
      {"use_virial", [](FitConfiguration& o) { o.use[Property::virial] = false; }},
      {"reference energies", [](FitConfiguration& o) { o.reference_energies.values["Si"] += 0.25; }},
      {"scale_with_atoms", [](FitConfiguration& o) { o.regularization.scale_with_atoms = false; }},
      {"a class",
       [&](FitConfiguration& o) {
         o.regularization.config_type[frames.back().config_type + "x"] = {0.02, 0.2, 0.3};
       }},
      {"a class to optimise", [](FitConfiguration& o) { o.optimize.classes = {"of its own"}; }},
      {"folds", [](FitConfiguration& o) { o.optimize.folds = 3; }},
      {"jitter", [](FitConfiguration& o) { o.jitter = 1e-5; }},
      {"absolute jitter", [](FitConfiguration& o) { o.jitter_absolute = 1e-5; }},
      {"held out",
       [](FitConfiguration& o) {
         o.calibration.source = CalibrationOptions::Source::holdout;
         o.calibration.holdout = 0.5;
       }},
      {"sigma of a component",
       [&](FitConfiguration& o) {
         std::vector<Structure> changed = frames;
         changed.back().set_field("virial_component_sigma", std::vector<double>{0.1, 0.1, 0.1, 0.2, 0.1, 0.1});
         write_frames(o.train[0], changed);
       }},
      {"sigma of a row", [&](FitConfiguration& o) {
         std::vector<Structure> changed = frames;
         changed.back().set_field("energy_sigma", 0.004);
         write_frames(o.train[0], changed);
       }}};
  for (const auto& [changed_option, change] : changes) {
    const char* name = changed_option;  // CAPTURE takes no structured bindings in Clang 14
    CAPTURE(name);
    place.folder.write("points", "0.5\n2.5\n3\n");
    write_frames(options.train[0], frames);
    interrupt(options, 0);
    FitConfiguration other = options;
    change(other);
    const Continued c = continued(other);
    CHECK(c.answer == "ignored");
    CHECK(largest_difference(c.result.model.weights, fit(without_checkpoint(other)).model.weights) == 0);
  }
}

TEST_CASE("a checkpoint survives other sigma, and all that the sums do not depend on: the model is that of a whole fit") {
  Place place;
  FitConfiguration& options = place.options;
  std::vector<Structure> frames;  // more rows than one batch
  for (unsigned seed = 1; seed <= 60; ++seed) frames.push_back(labelled(random_triclinic(48, seed), seed % 3 == 0 ? "third" : "default"));
  options.train = {write_frames((place.folder.path() / "many.xyz").string(), frames)};
  options.terms = {small_two_body(0.7, 8)};
  options.regularization.config_type["third"] = {0.02, 0.2, 0.3};
  options.checkpoint_path = (place.folder.path() / "state").string();
  interrupt(options, 0.99);
  const Vector as_begun = fit(without_checkpoint(options)).model.weights;
  FitConfiguration other = options;
  other.regularization.standard = {0.003, 0.4, 0.07};
  other.regularization.config_type["third"][Property::force] = 0.011;
  other.model_path = "elsewhere.h5";
  other.memory = 3;
  std::int64_t done = 0;
  FitResult result = fit(other, [&](const ProgressEvent& event) {
    const std::size_t at = event.message.find("continuing from");
    if (at != std::string::npos) done = std::stol(event.message.substr(event.message.rfind(": ") + 2));
  });
  CHECK(done > 10);  // sums were taken over, not the sparse points alone
  const FitResult whole = fit(without_checkpoint(other));
  const double unit = whole.model.weights.cwiseAbs().maxCoeff();
  CHECK(largest_difference(result.model.weights, whole.model.weights) <= 1e-9 * unit);
  CHECK(largest_difference(as_begun, whole.model.weights) > 1e-4 * unit);
  REQUIRE(result.model.posterior.groups.size() == whole.model.posterior.groups.size());
  for (std::size_t g = 0; g < whole.model.posterior.groups.size(); ++g)
    CHECK(result.model.posterior.groups[g].sigma == whole.model.posterior.groups[g].sigma);
  check_close(result.model.posterior.log_evidence, whole.model.posterior.log_evidence, 1e-6, 1e-9);
}
