#include "resources.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace gapkit::apps {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

/// The number of a file; infinite for "max", and without the file.
double limit_in(const std::filesystem::path& file) {
  std::ifstream in(file);
  double bytes = 0;
  return in >> bytes ? bytes : infinite;
}

double bytes_of_machine(const std::filesystem::path& root) {
  std::ifstream in(root / "proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    double kib = 0;
    if (words >> name >> kib && name == "MemTotal:") return 1024 * kib;
  }
  return infinite;
}

/// The smallest limit of a group and all groups above it. In a container the path may belong to the host: then its root counts.
double limit_along(const std::filesystem::path& mount, const std::string& path, const char* file) {
  double least = infinite;
  for (std::filesystem::path group = std::filesystem::path(path).relative_path();; group = group.parent_path()) {
    least = std::min(least, limit_in(mount / group / file));
    if (group.empty()) return least;
  }
}

double limit_of_groups(const std::filesystem::path& root) {
  double least = infinite;
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {  // "0::/path", "9:memory:/path"
    const auto first = line.find(':'), second = line.find(':', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const std::filesystem::path mounts = root / "sys/fs/cgroup";
    if (controllers.empty())
      least = std::min(least, limit_along(mounts, path, "memory.max"));
    else if (controllers == "memory")
      least = std::min(least, limit_along(mounts / "memory", path, "memory.limit_in_bytes"));
  }
  return least;
}

}  // namespace

double machine_memory_gb(const std::filesystem::path& root) {
  rlimit limit{};
  double bytes = std::min(bytes_of_machine(root), limit_of_groups(root));
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) bytes = std::min(bytes, static_cast<double>(limit.rlim_cur));
  return 1e-9 * bytes;
}

double peak_memory_gb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024e-9;  // Linux counts in KiB
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace gapkit::apps
