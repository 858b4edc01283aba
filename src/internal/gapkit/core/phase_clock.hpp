#pragma once

#include <chrono>
#include <ctime>
#include <gapkit/core/progress.hpp>
#include <map>

namespace gapkit {

/// Measures the phases of a computation.
class PhaseClock {
 public:
  /// Time since the last call, or since the clock was made.
  PhaseTime lap() {
    const auto wall = std::chrono::steady_clock::now();
    const std::clock_t cpu = std::clock();
    const PhaseTime time{std::chrono::duration<double>(wall - wall_).count(), static_cast<double>(cpu - cpu_) / CLOCKS_PER_SEC};
    wall_ = wall;
    cpu_ = cpu;
    return time;
  }

 private:
  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  std::clock_t cpu_ = std::clock();
};

}  // namespace gapkit
