#pragma once

#include <filesystem>

namespace gapkit::apps {

/// Peak memory of this process, GB (10⁹ bytes).
double peak_memory_gb();

/// Memory that this process can still use, GB (10⁹ bytes): free memory of the machine, or less within a limit of its control groups
/// (containers, batch systems) or of its address space. Infinite if the system tells nothing. `root` is "/" except in tests.
double available_memory_gb(const std::filesystem::path& root = "/");

/// CPU seconds of this process up to now, user and system, all threads.
double cpu_seconds();

}  // namespace gapkit::apps
