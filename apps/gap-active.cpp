#include <fmt/format.h>

#include <gapkit/active/loop.hpp>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/version.hpp>
#include <gapkit/math/linear_algebra.hpp>
#include <iostream>

#include "common/ase_files.hpp"
#include "common/interruption.hpp"
#include "common/loop_report.hpp"
#include "common/progress_display.hpp"
#include "common/resources.hpp"
#include "common/run_main.hpp"
#include "common/threads.hpp"

namespace {

using namespace gapkit;

struct Arguments {
  std::string file;
  std::optional<std::string> folder;
  std::optional<int> rounds, labels, threads;
  std::optional<double> wall_time;
};

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", fmt::format("gap-active {}", version));
  app.add_option("FILE", arguments.file, "Configuration of the loop, TOML (docs/active-learning.md)")->required();
  app.add_option("-o,--output", arguments.folder, "Folder in which everything is kept (default: loop.folder of the configuration, loop)")
      ->type_name("FOLDER");
  app.add_option("--rounds", arguments.rounds, "Rounds at most (default: loop.rounds of the configuration, 100)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000).description(""));
  app.add_option("--labels", arguments.labels, "Structures labelled at most, 0: any number (default: loop.labels of the configuration, 0)")
      ->type_name("N")
      ->check(CLI::Range(0, 1000000000).description(""));
  app.add_option(
         "--wall-time", arguments.wall_time,
         "Time after which no further round begins, in seconds or such as 10h, 0: none (default: loop.wall_time of the configuration, 0)")
      ->type_name("TIME")
      ->transform(apps::interval_in_seconds("--wall-time"));
  apps::add_threads_option(app, arguments.threads);
  app.footer(
      "Every step is on disk before the next begins: after a kill, Ctrl-C or SIGTERM the same command goes on.\n"
      "In FOLDER: model.h5 (the newest), labelled.xyz (what was labelled), log.jsonl, loop.html, rounds/NNNN/ (all of each round).\n"
      "Units: eV, Å, eV/Å, K, fs, ps. Exit codes: 0 good, 1 bug, 2 bad input, 3 numerical failure.");
}

void run(const Arguments& arguments) {
  if (arguments.threads) apps::choose_threads(arguments.threads);
  if (arguments.folder && (arguments.folder->empty() || *arguments.folder == "-"))
    throw InputError(fmt::format("-o '{}': expected the name of a folder", *arguments.folder));
  LoopOptions options = read_loop_options(arguments.file);
  if (arguments.folder) {
    options.folder = *arguments.folder;
    options.labeller.working_directory = std::filesystem::path(options.folder) / "labels";
  }
  if (arguments.rounds) options.goal.rounds = *arguments.rounds;
  if (arguments.labels) options.goal.labels = *arguments.labels;
  if (arguments.wall_time) options.goal.wall_time = *arguments.wall_time;

  apps::ProgressDisplay display("gap-active");
  const apps::AseFiles ase_files(display);
  apps::catch_signals();
  bool has_heading = false;
  const auto show = [&](const RoundSummary& round) {
    display.finish();
    if (!has_heading) std::cout << apps::loop_heading(options);
    has_heading = true;
    std::cout << apps::loop_row(round) << std::flush;
  };
  try {
    const LoopResult result = run_loop(options, apps::interruptible(display.callback()), show);
    display.finish();
    std::cout << fmt::format("\nEnd: {}. {} labels in {} rounds.\nModel: {}\nLabelled structures: {}\n", result.reason,
                             result.rounds.back().labels, result.rounds.back().round, result.model.string(), result.labelled.string())
              << std::flush;
  } catch (const Interrupted& e) {
    display.finish();
    throw Interrupted(fmt::format("{}; the same command goes on from {}", e.what(), options.folder));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs a learning loop: proposes structures, labels those of large error bars, fits again.", "gap-active");
  Arguments arguments;
  describe(app, arguments);
  return gapkit::apps::run_main(app, argc, argv, [&] { run(arguments); });
}
