#pragma once

#include <chrono>
#include <ctime>
#include <gapkit/core/progress.hpp>
#include <map>

namespace gapkit {

/// Seconds of wall time since it was made or restarted.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }
  void restart() { begin_ = Clock::now(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

/// Measures the phases of a computation.
class PhaseClock {
 public:
  /// Time since the last call, or since construction.
  PhaseTime lap() {
    const std::clock_t cpu = std::clock();
    const PhaseTime time{wall_.seconds(), static_cast<double>(cpu - cpu_) / CLOCKS_PER_SEC};
    wall_.restart();
    cpu_ = cpu;
    return time;
  }

 private:
  Stopwatch wall_;
  std::clock_t cpu_ = std::clock();
};

}  // namespace gapkit
