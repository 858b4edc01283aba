// A checkpoint that cannot be written must not cost the fit (what one is good for is tested through the programs: apps/random_kills.py).

#include <sys/wait.h>
#include <unistd.h>

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
  FitOptions options;

  Place() {
    options = small_options(write_frames((folder.path() / "train.xyz").string(), toy_training_frames({14})), {small_soap(3, 2, 2, 10)});
    options.checkpoint_interval = 0;
  }
};

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
  for (const int stop : {1, 4}) {
    CAPTURE(stop);
    int frames = 0;
    CHECK_THROWS_AS(fit(place.options,
                        [&](const ProgressEvent& event) {
                          if (event.phase == "fit" && event.message.empty() && ++frames >= stop) throw Interrupted("stop");
                        }),
                    Interrupted);
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
