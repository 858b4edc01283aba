#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>

namespace gapkit::apps {

enum ExitCode { exit_good = 0, exit_bug = 1, exit_bad_input = 2, exit_numerical_failure = 3 };

/// Call it first in main: it may execute the program again (let_waiting_threads_sleep) before anything else is done.
///
/// Parses the command line and runs `body`; turns whatever they throw into one line on stderr and an exit code.
///
/// 0: done, --help or --version; 1: a bug; 2: the user's files, options or values (InputError, a command line that cannot be
/// parsed); 3: a computation failed (NumericalError, out of memory).
int run_main(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// --threads N
void add_threads_option(CLI::App& app, std::optional<int>& threads);

}  // namespace gapkit::apps
