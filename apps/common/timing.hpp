#pragma once

#include <gapkit/fit/fit.hpp>
#include <nlohmann/json.hpp>

namespace gapkit::apps {

/// The heading of a table of phases, and the line of one phase, without the newline.
std::string phase_heading();
std::string phase_line(const std::string& phase, const PhaseTime& time);
/// "phase_seconds" and "phase_cpu_seconds", by phase.
void add_phases(const std::map<std::string, PhaseTime>& phases, nlohmann::ordered_json& json);

/// Times of the phases of a fit, and their speed relative to DGEMM, which the constructor measures (0.5 s).
class Timing {
 public:
  explicit Timing(const FitReport& report);
  std::string text() const;
  nlohmann::ordered_json json() const;

 private:
  const FitReport& report_;
  double total_cpu_;  // seconds of the process until the measurement, all threads
  double gflops_;     // of DGEMM, per thread
};

}  // namespace gapkit::apps
