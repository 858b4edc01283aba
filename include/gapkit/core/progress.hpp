#pragma once

#include <functional>
#include <string>

namespace gapkit {

/// Progress of a long computation. The library never prints; the caller may show it.
struct ProgressEvent {
  std::string phase = {};    ///< "select sparse points", "kernel rows", …
  double done = 0;           ///< work done so far, in `unit`
  double total = 0;          ///< total work, in `unit`; 0 if unknown
  std::string unit = {};     ///< "frames", "atoms", …
  std::string message = {};  ///< a line for the log; empty if only the progress has changed
  bool is_warning = false;
};

/// May throw Interrupted to stop the computation at the next safe point.
using ProgressCallback = std::function<void(const ProgressEvent&)>;

struct PhaseTime {
  double wall = 0, cpu = 0;  ///< seconds; CPU seconds of all threads of the process

  PhaseTime& operator+=(const PhaseTime& other) {
    wall += other.wall;
    cpu += other.cpu;
    return *this;
  }
  PhaseTime& operator-=(const PhaseTime& other) {
    wall -= other.wall;
    cpu -= other.cpu;
    return *this;
  }
};

}  // namespace gapkit
