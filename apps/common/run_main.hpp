#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>

namespace gapkit::apps {

enum ExitCode { exit_good = 0, exit_bug = 1, exit_bad_input = 2, exit_numerical_failure = 3 };

/// Ends the program with this exit code; the message is printed already.
struct FailureWasSaid {
  ExitCode code;
};

class Processes;

/// How a program runs in several processes.
struct JoinedRun {
  std::function<std::unique_ptr<Processes>()> join = {};  ///< join_processes
  std::function<void()> prepare = {};                     ///< in other processes than rank 0: the number of threads
};

/// Call it first in main: it may execute the program again (let_waiting_threads_sleep).
///
/// Parses the command line and runs `body`; turns every exception into one line on stderr and an exit code.
///
/// 0: done, --help or --version; 1: a bug; 2: the user's files, options or values (InputError, a command line that cannot be
/// parsed); 3: a computation failed (NumericalError, out of memory).
///
/// `join`: for programs whose fits several processes share (processes/processes.hpp). All but rank 0 then serve it: they do not print, and
/// do not run `body`, but `prepare` (after they have parsed the command line). An error of any process ends all with one message.
int run_main(CLI::App& app, int argc, char** argv, const std::function<void()>& body, const JoinedRun& join = {});

/// --threads N
void add_threads_option(CLI::App& app, std::optional<int>& threads);

/// For options of numbers with a unit, `option->transform(duration_in_seconds("--time"))`: turn "10m" into a plain number of seconds,
/// "500MB" into one of GB. An interval may be 0. Throw InputError as parse_quantity does.
CLI::Validator duration_in_seconds(const std::string& option);
CLI::Validator interval_in_seconds(const std::string& option);
CLI::Validator memory_in_gb(const std::string& option);

}  // namespace gapkit::apps
