#include <fstream>
#include <limits>

#include "common/resources.hpp"
#include "support/support.hpp"

using gapkit::apps::machine_memory_gb;
using gapkit::test::TemporaryFolder;

namespace {

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

TEST_CASE("memory of the machine: all of it, or the smallest limit of the control groups") {
  const TemporaryFolder folder;
  const std::filesystem::path root = folder.path();
  CHECK(machine_memory_gb(root) == std::numeric_limits<double>::infinity());
  write(root / "proc/meminfo", "MemTotal:       15625000 kB\nMemFree:  100 kB\n");
  CHECK(machine_memory_gb(root) == 16.0);
  // Version 2: a group and those above it.
  write(root / "proc/self/cgroup", "0::/batch/job\n");
  write(root / "sys/fs/cgroup/batch/job/memory.max", "max\n");
  CHECK(machine_memory_gb(root) == 16.0);
  write(root / "sys/fs/cgroup/batch/memory.max", "8000000000\n");
  CHECK(machine_memory_gb(root) == 8.0);
  // Version 1.
  write(root / "proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a\n");
  CHECK(machine_memory_gb(root) == 16.0);
  write(root / "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(machine_memory_gb(root) == 16.0);
  write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "4000000000\n");
  CHECK(machine_memory_gb(root) == 4.0);
  CHECK(machine_memory_gb() > 0.1);
}
