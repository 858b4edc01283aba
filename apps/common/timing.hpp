#pragma once

#include <gapkit/fit/fit.hpp>
#include <nlohmann/json.hpp>

namespace gapkit::apps {

/// Where the time of a fit went, against the speed of DGEMM, which the constructor measures (half a second).
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
