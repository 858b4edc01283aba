#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <gapkit/active/labeller.hpp>
#include <gapkit/core/errors.hpp>
#include <thread>

#include "label_script.hpp"
#include "support/support.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace fs = std::filesystem;

namespace {

/// A labeller whose program is a shell script: $1 is the input, $2 the output. `label` is a function of the script.
struct Script {
  TemporaryFolder folder;
  LabellerOptions options;

  explicit Script(const std::string& body) {
    const std::string text = "#!/bin/sh\n" + label_function + body + "\n";
    const fs::path script = folder.write("label.sh", text);
    fs::permissions(script, fs::perms::owner_all);
    options.kind = "command";
    options.command = {"./label.sh", "{input}", "{output}"};
    options.here = folder.path();
    options.working_directory = folder.path() / "work";
    options.timeout = 120;
    options.retries = 0;
  }
  std::string file(const std::string& name) const {
    std::ifstream in(folder.path() / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t folders_left() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(options.working_directory), {}));
  }
};

std::vector<Structure> structures(int count) {
  std::vector<Structure> all;
  for (int k = 0; k < count; ++k) all.push_back(random_triclinic(2 + k % 3, 50 + static_cast<unsigned>(k), {14, 8}));
  return all;
}

/// A failure of the one structure, after one attempt; returns the sentence.
std::string failure_of(const std::string& body, double timeout = 120) {
  Script script(body);
  script.options.timeout = timeout;
  const auto labels = make_labeller(script.options)->label(structures(1));
  CHECK(!labels.at(0).structure);
  CHECK(labels[0].attempts == 1);
  CHECK(script.folders_left() == 1);
  return labels[0].failure;
}

bool is_running(const std::string& pid) {
  // a zombie that nobody has waited for yet does not run
  std::ifstream in("/proc/" + pid + "/stat");
  std::string number, name, state;
  return static_cast<bool>(in >> number >> name >> state) && state != "Z";
}

}  // namespace

TEST_CASE("command: labels in the order of the structures, jobs at the same time, nothing left behind") {
  // The first to start end last.
  Script script("n=$(ls " + std::string("\"$(dirname \"$1\")/..\"") +
                " | wc -l); sleep 0.$((9 - n % 9)); label \"$1\" \"$2\"; echo much >&2");
  script.options.parallel_jobs = 4;
  const auto labeller = make_labeller(script.options);
  CHECK(labeller->kind() == "command");
  std::vector<Structure> asked = structures(6);
  asked[1].set_field("REF_energy", 3.0);
  asked[1].set_field("note", std::string("kept"));
  std::vector<std::size_t> order;
  double last_done = -1;
  const auto begin = std::chrono::steady_clock::now();
  const auto labels = labeller->label(
      asked,
      [&](const ProgressEvent& event) {
        CHECK(event.done >= last_done);
        CHECK(event.total == 6);
        CHECK(!event.is_warning);
        last_done = event.done;
      },
      [&](std::size_t k, const Label& label) {
        check_label(label, asked[k]);
        order.push_back(k);
      });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  REQUIRE(labels.size() == 6);
  double sum = 0;
  for (std::size_t k = 0; k < 6; ++k) {
    check_label(labels[k], asked[k]);
    CHECK(labels[k].attempts == 1);
    sum += labels[k].seconds;
  }
  CHECK(seconds < 0.8 * sum);
  CHECK(last_done == 6);
  CHECK(order.size() == 6);
  CHECK(script.folders_left() == 0);
  CHECK(labels[1].structure->find_field("note") != nullptr);
  CHECK(labels[1].structure->find_field("REF_energy") == nullptr);
}

TEST_CASE("command: arguments reach the program unchanged, without a shell") {
  Script script("label \"$1\" \"$2\"; shift 2; printf '%s\\n' \"$@\" > ../../arguments; pwd > ../../folder; cat > ../../input");
  script.options.command = {"{here}/label.sh", "{input}", "{output}", "a b", "$HOME; *", "", "--x={here}"};
  const auto asked = structures(1);
  check_label(make_labeller(script.options)->label(asked)[0], asked[0]);
  CHECK(script.file("arguments") == "a b\n$HOME; *\n\n--x=" + script.folder.path().string() + "\n");
  CHECK(contains(script.file("folder"), "work/000001"));
  CHECK(script.file("input").empty());
}

TEST_CASE("command: another attempt after a failure; folders of failures stay") {
  Script script(
      "touch ../../tries; echo x >> ../../tries; test $(wc -l < ../../tries) -ge 3 || { echo reason >&2; exit 7; }; label \"$1\" \"$2\"");
  script.options.retries = 2;
  const auto asked = structures(1);
  std::vector<std::string> warnings;
  const auto progress = [&](const ProgressEvent& event) {
    if (event.is_warning) warnings.push_back(event.message);
  };
  const Label label = make_labeller(script.options)->label(asked, progress)[0];
  check_label(label, asked[0]);
  CHECK(label.attempts == 3);
  CHECK(warnings.size() == 2);
  CHECK(contains(warnings.at(0), "structure 1 of 1: label.sh, attempt 1 in "));
  CHECK(contains(warnings.at(0), "exit code 7; its last message: reason; another attempt"));
  CHECK(script.folders_left() == 2);
  CHECK(script.file("work/000001/stderr.txt") == "reason\n");
  // Another run numbers on.
  check_label(make_labeller(script.options)->label(asked)[0], asked[0]);
  CHECK(fs::exists(script.options.working_directory / "000001"));
}

TEST_CASE("command: messages name the error in an answer") {
  CHECK(contains(failure_of("exit 3"), "exit code 3"));
  CHECK(contains(failure_of("kill -SEGV $$"), "ended by signal 11"));
  CHECK(contains(failure_of("true"), "there is no output file"));
  CHECK(contains(failure_of(": > \"$2\""), "output.xyz"));
  CHECK(contains(failure_of("cp \"$1\" \"$2\""), "no energy"));
  CHECK(contains(failure_of("label \"$1\" x; sed 's/:forces:R:3/:f:R:3/' x > \"$2\""), "no forces"));
  CHECK(contains(failure_of("label \"$1\" x; cat x x > \"$2\""), "more than one frame"));
  CHECK(contains(failure_of("label \"$1\" x; sed 's/energy=[^ ]*/energy=NaN/' x > \"$2\""), "energy"));
  CHECK(contains(failure_of("label \"$1\" x; sed '3s/[^ ]*$/inf/' x > \"$2\""), "forces"));
  CHECK(contains(failure_of("label \"$1\" x; (head -2 x; tail -1 x; sed -n 3p x) > \"$2\""), "elements and positions must not change"));
  CHECK(contains(failure_of("label \"$1\" x; sed 's/^Si/Ge/' x > \"$2\""), "is Ge, expected Si"));
  CHECK(contains(failure_of("label \"$1\" x; awk 'NR==4 {$3 += 2e-6} {print}' x > \"$2\""), "moved by"));
  CHECK(contains(failure_of("label \"$1\" x; sed 's/Lattice=\"[^\"]*\"/Lattice=\"9 0 0 0 9 0 0 0 9\"/' x > \"$2\""), "Lattice differs"));
  CHECK(contains(failure_of("label \"$1\" x; sed 's/Lattice=\"[^\"]*\"//' x > \"$2\""), "no Lattice"));
}

TEST_CASE("command: small differences of positions come from printing") {
  Script script("label \"$1\" x; awk 'NR==4 {$3 = sprintf(\"%.7f\", $3)} {print}' x > \"$2\"");
  const auto asked = structures(1);
  const Label label = make_labeller(script.options)->label(asked)[0];
  REQUIRE(label.structure);
  CHECK(label.structure->positions == asked[0].positions);
}

TEST_CASE("command: a program that takes too long is ended with all that it started") {
  Script script("sleep 100 & echo $! > ../../child; trap '' TERM; sleep 100 & wait; sleep 100");
  script.options.timeout = 0.3;
  const auto begin = std::chrono::steady_clock::now();
  const Label label = make_labeller(script.options)->label(structures(1))[0];
  CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < 60);
  CHECK(contains(label.failure, "took longer than 0.3 s"));
  std::string child = script.file("child");
  REQUIRE(!child.empty());
  child.pop_back();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(!is_running(child));
}

TEST_CASE("command: child processes of a program end with it") {
  Script script("sleep 100 & echo $! > ../../child; label \"$1\" \"$2\"");
  const auto asked = structures(1);
  check_label(make_labeller(script.options)->label(asked)[0], asked[0]);
  std::string child = script.file("child");
  REQUIRE(!child.empty());
  child.pop_back();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(!is_running(child));
}

TEST_CASE("command: an interruption ends the programs and is passed on") {
  Script script("echo $$ >> ../../running; sleep 100");
  script.options.parallel_jobs = 3;
  const auto progress = [&](const ProgressEvent&) {
    const std::string pids = script.file("running");
    if (std::count(pids.begin(), pids.end(), '\n') == 3) throw Interrupted("interrupted");
  };
  const auto begin = std::chrono::steady_clock::now();
  CHECK_THROWS_AS(make_labeller(script.options)->label(structures(5), progress), Interrupted);
  CHECK(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < 60);
  std::istringstream pids(script.file("running"));
  std::string pid;
  int count = 0;
  while (pids >> pid) {
    CHECK(!is_running(pid));
    ++count;
  }
  CHECK(count == 3);
  CHECK(script.folders_left() == 0);
}

TEST_CASE("command: programs do not outlive a labeller that is killed") {
  Script script("echo $$ > ../../running; exec sleep 100");
  const auto labeller = make_labeller(script.options);
  const auto asked = structures(1);
  const pid_t child = fork();
  if (child == 0) {
    labeller->label(asked);
    ::_exit(0);
  }
  REQUIRE(child > 0);
  for (int k = 0; k < 1000 && script.file("running").empty(); ++k) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::string program = script.file("running");
  REQUIRE(!program.empty());
  program.pop_back();
  CHECK(is_running(program));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (int k = 0; k < 500 && is_running(program); ++k) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(!is_running(program));
}

TEST_CASE("command: options that cannot work are refused before anything runs") {
  Script script("true");
  const auto message = [&](auto&& change) {
    LabellerOptions options = script.options;
    change(options);
    return message_of<InputError>([&] { make_labeller(options); });
  };
  CHECK(contains(message([](LabellerOptions& o) { o.command = {}; }), "command is empty"));
  CHECK(contains(message([](LabellerOptions& o) { o.command = {"./label.sh", "{output}"}; }), "no {input}"));
  CHECK(contains(message([](LabellerOptions& o) { o.command = {"./label.sh", "{input}"}; }), "no {output}"));
  CHECK(contains(message([](LabellerOptions& o) { o.command[0] = "./no.sh"; }), "no.sh does not exist"));
  CHECK(contains(message([](LabellerOptions& o) { o.command[0] = "gapkit-no-such-program"; }), "'gapkit-no-such-program' in PATH"));
  CHECK(contains(message([](LabellerOptions& o) { o.timeout = 0; }), "timeout"));
  CHECK(contains(message([](LabellerOptions& o) { o.retries = -1; }), "retries"));
  CHECK(contains(message([](LabellerOptions& o) { o.parallel_jobs = 0; }), "parallel_jobs"));
  CHECK(message([](LabellerOptions& o) { o.command[0] = "sh"; }).empty());
  script.folder.write("data.txt", "x");
  CHECK(contains(message([](LabellerOptions& o) { o.command[0] = "./data.txt"; }), "is not an executable program"));
  LabellerOptions blocked = script.options;
  blocked.working_directory = script.folder.path() / "data.txt" / "work";
  CHECK_THROWS_AS(make_labeller(blocked)->label(structures(1)), InputError);
}
