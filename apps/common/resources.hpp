#pragma once

#include <chrono>

namespace gapkit::apps {

/// Largest memory this process has had so far, GB (10⁹ bytes).
double peak_memory_gb();

/// CPU seconds that this process has used so far, user and system, all threads.
double cpu_seconds();

/// Seconds of wall time since it was made.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace gapkit::apps
