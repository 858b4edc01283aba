#include <doctest/doctest.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>
#include <gapkit/math/linear_algebra.hpp>
#include <optional>

#include "apps/run_program.hpp"
#include "common/threads.hpp"
#include "support/pair_potential.hpp"
#include "support/support.hpp"
#include "support/toy_data.hpp"

using namespace gapkit;
using namespace gapkit::test;

namespace {

/// Sets a variable of the environment (or removes it) while it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    set(value);
  }
  ~Variable() { set(before_ ? before_->c_str() : nullptr); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  void set(const char* value) const { value ? ::setenv(name_, value, 1) : ::unsetenv(name_); }
  const char* name_;
  std::optional<std::string> before_;
};

/// Keeps the process, and those that it starts, on one core while it lives.
class OneCore {
 public:
  OneCore() {
    REQUIRE(::sched_getaffinity(0, sizeof before_, &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (std::size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
      if (CPU_ISSET(i, &before_)) CPU_SET(i, &one);
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  }
  ~OneCore() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;
  int cores() const { return CPU_COUNT(&before_); }

 private:
  cpu_set_t before_;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The first line of gap-fit's messages about a fit.
std::string start_of_fit(std::vector<std::string> more = {}) {
  const TemporaryFolder folder;
  write_frames((folder.path() / "two words.xyz").string(), toy_training_frames({14}));
  more.insert(more.begin(), {"two words.xyz", "--dry-run"});
  const ProgramResult result = run_program("gap-fit", more, folder.path());
  CHECK(result.exit_code == 0);
  return result.err.substr(0, result.err.find('\n'));
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("waiting threads sleep unless the user has chosen how they wait") {
  const TemporaryFolder folder;
  const Variable show("OMP_DISPLAY_ENV", "verbose"), none("GOMP_SPINCOUNT", nullptr), no_policy("OMP_WAIT_POLICY", nullptr);
  for (const char* program : {"gap-fit", "gap-predict", "gap-active", "gap-convert", "gap-info"}) {
    CAPTURE(program);
    const ProgramResult result = run_program(program, {"--version"}, folder.path());
    CHECK(result.exit_code == 0);
    CHECK(result.out == std::string(program) + " 0.1.0\n");
    CHECK(count(result.err, "GOMP_SPINCOUNT = ") == 2);  // of the two programs
    CHECK(count(result.err, "GOMP_SPINCOUNT = '0'") == 1);
  }
  for (const char* chosen : {"active", "ACTIVE"}) {
    const Variable policy("OMP_WAIT_POLICY", chosen);
    const std::string err = run_program("gap-fit", {"--version"}, folder.path()).err;
    CHECK(count(err, "OMP_WAIT_POLICY = 'ACTIVE'") == 1);
    CHECK(count(err, "GOMP_SPINCOUNT = ") == 1);
    CHECK(count(err, "GOMP_SPINCOUNT = '0'") == 0);
  }
  const Variable spin("GOMP_SPINCOUNT", "1000");
  const std::string err = run_program("gap-fit", {"--version"}, folder.path()).err;
  CHECK(count(err, "GOMP_SPINCOUNT = '1000'") == 1);
  CHECK(count(err, "GOMP_SPINCOUNT = ") == 1);
}

TEST_CASE("programs that are started from the second program find the user's environment") {
  const Variable mark("GAPKIT_EXECUTED_AGAIN", "1"), policy("OMP_WAIT_POLICY", "passive");
  char* argv[] = {nullptr};
  apps::let_waiting_threads_sleep(argv);
  CHECK(std::getenv("GAPKIT_EXECUTED_AGAIN") == nullptr);
  CHECK(std::getenv("OMP_WAIT_POLICY") == nullptr);
}

TEST_CASE("threads: --threads, OMP_NUM_THREADS, the cores that the process may use") {
  for (const char* policy : {"passive", static_cast<const char*>(nullptr)}) {
    const Variable waiting("OMP_WAIT_POLICY", policy), no_number("OMP_NUM_THREADS", nullptr);
    CHECK(start_of_fit({"--threads", "3"}).find("3 threads (--threads)") != std::string::npos);
    const std::string everything = start_of_fit();
    {
      const OneCore one;
      CHECK(start_of_fit().find("1 thread (cores of this process)") != std::string::npos);
      CHECK(start_of_fit({"--threads", "2"}).find("2 threads (--threads)") != std::string::npos);
      const Variable number("OMP_NUM_THREADS", "4");
      CHECK(start_of_fit().find("4 threads (OMP_NUM_THREADS)") != std::string::npos);
      CHECK(start_of_fit({"--threads", "2"}).find("2 threads (--threads)") != std::string::npos);
    }
    const Variable bound("OMP_PROC_BIND", "true");  // binds the first thread to one core
    CHECK(start_of_fit() == everything);
  }
}

TEST_CASE("CPU quotas of control groups are found in the group and above it, v1 and v2") {
  const auto quota = [](const std::string& groups, const std::vector<std::pair<std::string, std::string>>& files) {
    const TemporaryFolder root;
    write(root.path() / "proc/self/cgroup", groups);
    for (const auto& [name, text] : files) write(root.path() / "sys/fs/cgroup" / name, text);
    return apps::cpu_quota(root.path());
  };
  CHECK(quota("0::/\n", {{"cpu.max", "150000 100000\n"}}) == 1.5);
  CHECK(quota("0::/\n", {{"cpu.max", "max 100000\n"}}) == std::nullopt);
  CHECK(quota("0::/a/b\n", {{"cpu.max", "max 100000\n"}, {"a/cpu.max", "50000 100000\n"}, {"a/b/cpu.max", "400000 100000\n"}}) == 0.5);
  CHECK(quota("0::/of/the/host\n", {{"cpu.max", "200000 100000\n"}}) == 2.0);
  CHECK(quota("4:cpu,cpuacct:/docker/x\n1:name=systemd:/\n",
              {{"cpu,cpuacct/cpu.cfs_quota_us", "300000\n"}, {"cpu,cpuacct/cpu.cfs_period_us", "100000\n"}}) == 3.0);
  CHECK(quota("4:cpu:/x\n0::/\n", {{"cpu/x/cpu.cfs_quota_us", "50000\n"}, {"cpu/x/cpu.cfs_period_us", "100000\n"}}) == 0.5);
  CHECK(quota("4:cpu:/\n", {{"cpu/cpu.cfs_quota_us", "-1\n"}, {"cpu/cpu.cfs_period_us", "100000\n"}}) == std::nullopt);
  CHECK(quota("2:cpuset:/\n", {{"cpuset/cpu.cfs_quota_us", "100000\n"}, {"cpuset/cpu.cfs_period_us", "100000\n"}}) == std::nullopt);
  CHECK(quota("0::/\n", {{"cpu.max", "nan 100000\n"}}) == std::nullopt);
  CHECK(quota("0::/\n", {{"cpu.max", "100000 0\n"}}) == std::nullopt);
  CHECK(quota("nonsense\n", {}) == std::nullopt);
  CHECK(apps::cpu_quota("/there/is/no/such/folder") == std::nullopt);
}
