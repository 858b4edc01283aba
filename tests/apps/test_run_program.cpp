#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "apps/run_program.hpp"
#include "support/support.hpp"

namespace gapkit::test {

std::vector<std::string> files_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string program_path(const std::string& program) {
  return (std::filesystem::path(GAPKIT_BINARY_DIR) / "bin" / program).string();
}

ProgramResult run_program(const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                          const std::filesystem::path& input) {
  const TemporaryFolder capture;
  const std::string path = program_path(program);
  const std::string out = (capture.path() / "out").string(), err = (capture.path() / "err").string();
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool is_ready = ::chdir(folder.c_str()) == 0 && ::dup2(::open(input.c_str(), O_RDONLY), 0) == 0 &&
                          ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT, 0600), 1) == 1 &&
                          ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT, 0600), 2) == 2;
    if (is_ready) ::execv(path.c_str(), argv.data());
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text(out), read_text(err)};
}

}  // namespace gapkit::test

TEST_CASE("the programs are built and print their version") {
  const gapkit::test::TemporaryFolder folder;
  for (const char* program : {"gap-fit", "gap-predict"}) {
    CAPTURE(program);
    const auto result = gapkit::test::run_program(program, {"--version"}, folder.path());
    CHECK(result.exit_code == 0);
    CHECK(result.out == std::string(program) + " 0.1.0\n");
    CHECK(result.err == "");
  }
}
