#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace gapkit::apps {

/// Lets waiting threads sleep unless the user has chosen how they wait (OMP_WAIT_POLICY or GOMP_SPINCOUNT).
///
/// The OpenMP library reads its environment before main begins, so the program executes itself again with OMP_WAIT_POLICY=passive. The
/// second program removes the variable, so that its own child processes get the user's environment. Call it first in main.
/// Without /proc, or if the program cannot be executed again, it continues unchanged.
void let_waiting_threads_sleep(char** argv);

/// Cores that the CPU quotas of this process's control groups (v1 and v2, and the groups above) allow, as a real number; none without a
/// quota. `root` is the folder with proc and sys.
std::optional<double> cpu_quota(const std::filesystem::path& root = "/");

/// Sets the number of threads: `asked`, else OMP_NUM_THREADS, else the cores that the process may use (affinity and CPU quota, rounded up).
void choose_threads(const std::optional<int>& asked = {});

/// Origin of the number of threads: "--threads", "OMP_NUM_THREADS", "cores of this process", "CPU quota of 1.5 cores".
const std::string& threads_origin();

}  // namespace gapkit::apps
