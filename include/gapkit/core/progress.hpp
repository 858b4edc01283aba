#pragma once

#include <functional>
#include <string>

namespace gapkit {

/// What a long computation tells while it runs. The library never prints: whoever calls it shows this, or not.
struct ProgressEvent {
  std::string phase = {};    ///< "select sparse points", "kernel rows", …
  double done = 0;           ///< work done so far, in `unit`
  double total = 0;          ///< work in all, in `unit`; 0 if unknown
  std::string unit = {};     ///< "frames", "atoms", …
  std::string message = {};  ///< a line for the log; empty for a mere step of the bar
  bool is_warning = false;
};

/// May throw Interrupted to end the computation at the next safe place.
using ProgressCallback = std::function<void(const ProgressEvent&)>;

struct PhaseTime {
  double wall = 0, cpu = 0;  ///< seconds; CPU seconds of the whole process, all threads together

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
