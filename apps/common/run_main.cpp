#include "run_main.hpp"

#include <fmt/format.h>

#include <csignal>
#include <gapkit/core/errors.hpp>
#include <gapkit/core/quantity.hpp>
#include <gapkit/fit/serve_rows.hpp>
#include <gapkit/math/instruction_set.hpp>
#include <iostream>
#include <new>

#include "interruption.hpp"
#include "launcher.hpp"
#include "processes/processes.hpp"
#include "threads.hpp"

namespace gapkit::apps {
namespace {

int fail(const CLI::App& app, const std::string& message, ExitCode code) {
  std::cout.flush();
  std::cerr << app.get_name() << ": error: " << message << std::endl;
  return code;
}

/// "; did you mean '--json'?" for the first unknown option on the command line; else "".
std::string option_suggestion(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.rfind("--", 0) != 0 || word.size() == 2) continue;
    word = word.substr(0, word.find('='));
    if (std::find(known.begin(), known.end(), word) == known.end()) return suggestion(word, known);
  }
  return "";
}

CLI::Validator quantity(QuantityKind kind, const std::string& option) {
  const auto to_number = [kind, option](std::string& text) {
    text = fmt::format("{:.17g}", parse_quantity(text, kind, option));
    return std::string();
  };
  return {to_number, ""};
}

}  // namespace

void add_threads_option(CLI::App& app, std::optional<int>& threads) {
  app.add_option("--threads", threads, "Threads (default: OMP_NUM_THREADS, or the cores and the CPU quota of this process)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096).description(""));
}

CLI::Validator duration_in_seconds(const std::string& option) {
  return quantity(QuantityKind::duration, option);
}

CLI::Validator interval_in_seconds(const std::string& option) {
  return quantity(QuantityKind::interval, option);
}

CLI::Validator memory_in_gb(const std::string& option) {
  return quantity(QuantityKind::memory, option);
}

namespace {

int run_alone(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  try {
    app.parse(argc, argv);
    instruction_set();  // throws before any work if the environment names an unknown set
    body();
    std::cout.flush();
    if (!std::cout)
      return fail(app, "the standard output cannot be written (is the disk full?); the output is not complete", exit_bad_input);
    return exit_good;
  } catch (const FailureWasSaid& e) {
    std::cout.flush();
    return std::cout ? e.code : exit_bad_input;
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    return fail(app, fmt::format("{}{} (see {} --help)", e.what(), option_suggestion(app, argc, argv), app.get_name()), exit_bad_input);
  } catch (const Interrupted& e) {
    return fail(app, e.what(), static_cast<ExitCode>(128 + caught_signal()));  // as the shell reports a signal
  } catch (const InputError& e) {
    return fail(app, e.what(), exit_bad_input);
  } catch (const NumericalError& e) {
    return fail(app, e.what(), exit_numerical_failure);
  } catch (const std::bad_alloc&) {
    return fail(app, "out of memory; use fewer sparse points or smaller frames, or a machine with more memory", exit_numerical_failure);
  } catch (const std::exception& e) {
    return fail(app, fmt::format("internal error (please report): {}", e.what()), exit_bug);
  } catch (...) {
    return fail(app, "internal error (please report): unknown exception", exit_bug);
  }
}

/// The work of a process other than rank 0; rank 0 reports what is wrong.
int serve(CLI::App& app, int argc, char** argv, Processes& joined, const std::function<void()>& prepare) {
  std::signal(SIGINT, SIG_IGN);  // rank 0 saves its state, for which it needs the others
  std::signal(SIGTERM, SIG_IGN);
  try {
    app.parse(argc, argv);
    if (prepare) prepare();
  } catch (const CLI::Error&) {
  }
  try {
    serve_rows(joined);
    joined.finalize();
    return exit_good;
  } catch (const std::exception& e) {
    const int code = fail(app, fmt::format("internal error in rank {} (please report): {}", joined.rank(), e.what()), exit_bug);
    joined.end_all(code);
    return code;
  }
}

}  // namespace

int run_main(CLI::App& app, int argc, char** argv, const std::function<void()>& body, const JoinedRun& join) {
  let_waiting_threads_sleep(argv);
  choose_threads();
  std::signal(SIGXFSZ, SIG_IGN);  // beyond a limit on file sizes, a write fails as on a full disk; the program cleans up
  std::unique_ptr<Processes> joined;
  try {
    if (join.join) joined = join.join();
  } catch (const InputError& e) {  // all ranks find it: one says it
    const std::optional<Rank> rank = rank_of_launcher();
    return rank && rank->rank > 0 ? exit_bad_input : fail(app, e.what(), exit_bad_input);
  }
  if (!joined) return run_alone(app, argc, argv, body);
  if (joined->rank() > 0) return serve(app, argc, argv, *joined, join.prepare);
  set_processes(joined.get());
  const int code = run_alone(app, argc, argv, body);
  if (code != exit_good) joined->end_all(code);
  end_serving(*joined);
  joined->finalize();
  return code;
}

}  // namespace gapkit::apps
