#include "threads.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <gapkit/math/linear_algebra.hpp>
#include <sstream>
#include <vector>

namespace gapkit::apps {
namespace {

constexpr const char* policy = "OMP_WAIT_POLICY";
constexpr const char* mark = "GAPKIT_EXECUTED_AGAIN";

// The cores of the process before the OpenMP library binds the first thread to one of them (OMP_PROC_BIND, OMP_PLACES).
cpu_set_t cores_at_start;
bool knows_cores = false;

void note_cores(int, char**, char**) {
  knows_cores = ::syscall(SYS_sched_getaffinity, 0, sizeof cores_at_start, &cores_at_start) > 0;
}

// Entries of this section run before the constructors of libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*note_cores_at_start)(int, char**, char**) = note_cores;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value;
}

// Numbers of a file such as "max 100000" or "-1"; NaN for a word.
std::vector<double> numbers_in(const std::filesystem::path& file) {
  std::vector<double> numbers;
  std::ifstream in(file);
  for (std::string word; in >> word;) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    numbers.push_back(*end == 0 ? value : std::nan(""));
  }
  return numbers;
}

/// The quota of one group: cpu.max of v2, or the two files of v1.
std::optional<double> quota_of_group(const std::filesystem::path& folder, bool is_v2) {
  double quota = 0, period = 0;
  if (is_v2) {
    const std::vector<double> numbers = numbers_in(folder / "cpu.max");
    if (numbers.empty()) return {};
    quota = numbers[0];
    period = numbers.size() > 1 ? numbers[1] : 100000;  // µs; the kernel's default
  } else {
    const std::vector<double> quotas = numbers_in(folder / "cpu.cfs_quota_us"), periods = numbers_in(folder / "cpu.cfs_period_us");
    if (quotas.empty() || periods.empty()) return {};
    quota = quotas[0];
    period = periods[0];
  }
  if (!(quota > 0) || !(period > 0) || !std::isfinite(quota / period)) return {};  // "max", −1
  return quota / period;
}

/// The smallest quota of a group and all groups above it. In a container the path may belong to the host: then its root counts.
std::optional<double> quota_along(const std::filesystem::path& mount, const std::string& path, bool is_v2) {
  std::optional<double> least;
  std::filesystem::path group = std::filesystem::path(path).relative_path();
  while (true) {
    const std::optional<double> quota = quota_of_group(mount / group, is_v2);
    if (quota && (!least || *quota < *least)) least = quota;
    if (group.empty()) return least;
    group = group.parent_path();
  }
}

bool names_cpu(const std::string& controllers) {
  std::istringstream in(controllers);
  for (std::string name; std::getline(in, name, ',');)
    if (name == "cpu") return true;
  return false;
}

std::string origin = "cores of this process";

}  // namespace

void let_waiting_threads_sleep(char** argv) {
  if (std::getenv(mark)) {  // this is the second program
    ::unsetenv(mark);
    ::unsetenv(policy);
    ::prctl(PR_SET_NAME, program_invocation_short_name);  // the kernel set it to "exe"
    return;
  }
  if (is_set(policy) || is_set("GOMP_SPINCOUNT")) return;
  // No interpreter: the user started the dynamic linker with the program as its argument, and /proc/self/exe is the linker.
  if (::getauxval(AT_BASE) == 0 || !knows_cores) return;
  if (::setenv(policy, "passive", 1) != 0 || ::setenv(mark, "1", 1) != 0) return;
  cpu_set_t bound;
  const bool was_bound = ::sched_getaffinity(0, sizeof bound, &bound) == 0 && !CPU_EQUAL(&bound, &cores_at_start);
  if (was_bound) ::sched_setaffinity(0, sizeof cores_at_start, &cores_at_start);
  ::execv("/proc/self/exe", argv);
  if (was_bound) ::sched_setaffinity(0, sizeof bound, &bound);
  ::unsetenv(mark);
  ::unsetenv(policy);
}

std::optional<double> cpu_quota(const std::filesystem::path& root) {
  std::optional<double> least;
  const std::filesystem::path mounts = root / "sys/fs/cgroup";
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {  // "0::/path", "4:cpu,cpuacct:/path"
    const auto first = line.find(':'), second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    std::vector<std::filesystem::path> folders;
    if (controllers.empty())
      folders = {mounts, mounts / "unified"};
    else if (names_cpu(controllers))
      folders = {mounts / controllers, mounts / "cpu"};
    for (const auto& folder : folders)
      if (const std::optional<double> quota = quota_along(folder, path, controllers.empty()); quota && (!least || *quota < *least))
        least = quota;
  }
  return least;
}

void choose_threads(const std::optional<int>& asked) {
  if (asked) {
    set_thread_count(*asked);
    origin = "--threads";
    return;
  }
  if (is_set("OMP_NUM_THREADS")) {
    origin = "OMP_NUM_THREADS";
    return;
  }
  origin = "cores of this process";
  const std::optional<double> quota = cpu_quota();
  if (!quota || !(std::ceil(*quota) < thread_count())) return;
  set_thread_count(std::max(1, static_cast<int>(std::ceil(*quota))));
  origin = fmt::format("CPU quota of {:g} cores", *quota);
}

const std::string& threads_origin() {
  return origin;
}

}  // namespace gapkit::apps
