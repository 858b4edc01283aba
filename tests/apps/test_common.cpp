#include <gapkit/core/errors.hpp>
#include <new>
#include <sstream>

#include "apps/run_program.hpp"
#include "common/progress_display.hpp"
#include "common/run_main.hpp"
#include "common/text_file.hpp"
#include "support/support.hpp"

using namespace gapkit;

namespace {

int run_body(const std::function<void()>& body) {
  CLI::App app("test", "gap-test");
  char name[] = "gap-test";
  char* argv[] = {name, nullptr};
  return apps::run_main(app, 1, argv, body);
}

}  // namespace

TEST_CASE("run_main: each kind of exception has its exit code") {
  CHECK(run_body([] {}) == 0);
  CHECK(run_body([] { throw InputError("a message of this test, not a failure"); }) == 2);
  CHECK(run_body([] { throw NumericalError("a message of this test, not a failure"); }) == 3);
  CHECK(run_body([] { throw std::bad_alloc(); }) == 3);
  CHECK(run_body([] { throw std::logic_error("a message of this test, not a failure"); }) == 1);
  CHECK(run_body([] { throw 7; }) == 1);
}

TEST_CASE("write_text_file: replaces the file as a whole and leaves nothing else") {
  const test::TemporaryFolder folder;
  const auto path = folder.write("table.json", "old and much longer than the new text");
  apps::write_text_file(path, "new\n");
  CHECK(test::read_text(path) == "new\n");
  CHECK(test::files_in(folder.path()) == std::vector<std::string>{"table.json"});
}

TEST_CASE("write_text_file: the message has the reason of a failure") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "missing" / "table.json";
  const std::string message = test::message_of<InputError>([&] { apps::write_text_file(path, "text"); });
  CHECK(message.find(path.string()) != std::string::npos);
  CHECK(message.find("No such file or directory") != std::string::npos);
  // a folder in the way: the rename fails, and the temporary file is removed
  std::filesystem::create_directory(folder.path() / "folder");
  CHECK(test::message_of<InputError>([&] { apps::write_text_file(folder.path() / "folder", "text"); }) != "");
  CHECK(test::files_in(folder.path()) == std::vector<std::string>{"folder"});
}

TEST_CASE("check_can_be_written: missing folders and folders in the way are named before the work begins") {
  const test::TemporaryFolder folder;
  CHECK(test::message_of<InputError>([&] { apps::check_can_be_written(folder.path() / "model.h5", "-o"); }) == "");
  CHECK(test::message_of<InputError>([&] { apps::check_can_be_written(folder.path() / "no" / "model.h5", "-o"); }).find("does not exist") !=
        std::string::npos);
  CHECK(test::message_of<InputError>([&] { apps::check_can_be_written(folder.path(), "-o"); }).find("folder") != std::string::npos);
  CHECK(test::files_in(folder.path()).empty());
}

TEST_CASE("progress display: plain lines for messages, warnings and the end of each phase") {
  std::ostringstream out;
  {
    apps::ProgressDisplay display("gap-test", out, /*is_terminal=*/false, /*shortest_phase=*/std::chrono::seconds(0));
    const auto callback = display.callback();
    callback({"kernel rows", 0, 3, "frames", "", false});
    callback({"kernel rows", 3, 3, "frames", "", false});
    callback({"", 0, 0, "", "a message", false});
    callback({"", 0, 0, "", "take care", true});
    callback({"solve", 1, 1, "steps", "", false});
    display.finish();
  }
  std::istringstream in(out.str());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line.substr(0, line.find(" in ")));
  CHECK(lines == std::vector<std::string>{"gap-test: a message", "gap-test: warning: take care", "gap-test: kernel rows: 3 frames",
                                          "gap-test: solve: 1 steps"});
}

TEST_CASE("progress display: a bar on a terminal is removed before anything else is printed") {
  std::ostringstream out;
  {
    apps::ProgressDisplay display("gap-test", out, /*is_terminal=*/true);
    display.show({"kernel rows", 0, 2, "frames", "", false});
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(120)) {
    }
    display.show({"kernel rows", 1, 2, "frames", "", false});
    display.message("a message");
  }
  const std::string text = out.str();
  CHECK(text.find("1 of 2 frames (50 %)") != std::string::npos);
  CHECK(text.find("\r\033[Kgap-test: a message\n") != std::string::npos);
}

TEST_CASE("progress display: short phases have no closing line, warnings appear once, in calibration rounds only if they are new") {
  std::ostringstream out;
  apps::ProgressDisplay display("gap-test", out, /*is_terminal=*/false);
  display.begin_with("the machine");
  const auto warn = [&](const std::string& phase, const std::string& text) {
    display.show({.phase = phase, .message = text, .is_warning = true});
  };
  display.show({"scan", 3, 3, "frames", "", false});
  warn("select", "3 points were dropped");
  warn("select", "3 points were dropped");
  warn("select", "4 points were dropped");  // of another term: not the same
  warn("calibration round 2 of 5: select", "7 points were dropped");
  warn("calibration round 2 of 5: optimize", "sigma stopped at its bound");
  warn("calibration round 3 of 5: optimize", "sigma stopped at its bound");
  display.finish();
  CHECK(out.str() ==
        "gap-test: the machine\ngap-test: warning: 3 points were dropped\ngap-test: warning: 4 points were dropped\n"
        "gap-test: warning: calibration round 2 of 5: sigma stopped at its bound\n");
  CHECK(display.warnings() ==
        std::vector<std::string>{"3 points were dropped", "4 points were dropped", "calibration round 2 of 5: sigma stopped at its bound"});
}
