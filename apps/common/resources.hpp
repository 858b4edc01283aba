#pragma once

#include <filesystem>

namespace gapkit::apps {

/// Peak memory of this process, GB (10⁹ bytes).
double peak_memory_gb();

/// Memory of the machine, GB (10⁹ bytes), or less within a limit of the control groups (containers, batch systems) or of the address space
/// of this process. Infinite if the system tells nothing. `root` is "/" except in tests.
double machine_memory_gb(const std::filesystem::path& root = "/");

/// CPU seconds of this process up to now, user and system, all threads.
double cpu_seconds();

}  // namespace gapkit::apps
