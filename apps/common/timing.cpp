#include "timing.hpp"

#include <fmt/format.h>

#include <gapkit/math/linear_algebra.hpp>

#include "resources.hpp"

namespace gapkit::apps {

std::string phase_heading() {
  return fmt::format("{:<14}{:>10}{:>10}{:>13}", "phase", "wall s", "CPU s", "cores busy");
}

std::string phase_line(const std::string& phase, const PhaseTime& time) {
  return fmt::format("{:<14}{:>10.2f}{:>10.2f}{:>13.2f}", phase, time.wall, time.cpu, time.wall > 0 ? time.cpu / time.wall : 0);
}

void add_phases(const std::map<std::string, PhaseTime>& phases, nlohmann::ordered_json& json) {
  for (const auto& [phase, time] : phases) {
    json["phase_seconds"][phase] = time.wall;
    json["phase_cpu_seconds"][phase] = time.cpu;
  }
}

Timing::Timing(const FitReport& report) : report_(report), total_cpu_(cpu_seconds()), gflops_(1e-9 * measure_dgemm(0.5) / thread_count()) {}

std::string Timing::text() const {
  std::string out = fmt::format("\n{}{:>20}\n", phase_heading(), "GFLOP per CPU s");
  for (const auto& [phase, time] : report_.phases) {
    out += phase_line(phase, time);
    const auto flop = report_.plan.phase_flop.find(phase);
    if (flop != report_.plan.phase_flop.end() && time.cpu > 0) out += fmt::format("{:>20.1f}", 1e-9 * flop->second / time.cpu);
    out += "\n";
  }
  const double least = 1e-9 * report_.plan.flop / gflops_;
  out += fmt::format("{}; DGEMM: {:.1f} GFLOP/s per core\n", blas_description(), gflops_);
  out += fmt::format("The fit's {:.3g} TFLOP would take {:.1f} CPU s at the speed of DGEMM; it took {:.1f} CPU s, {:.2f} times as long\n",
                     1e-12 * report_.plan.flop, least, total_cpu_, total_cpu_ / least);
  return out;
}

nlohmann::ordered_json Timing::json() const {
  return {{"blas", blas_description()},
          {"dgemm_gflops_per_core", gflops_},
          {"tflop", 1e-12 * report_.plan.flop},
          {"cpu_seconds", total_cpu_},
          {"ratio_to_dgemm", total_cpu_ * gflops_ / (1e-9 * report_.plan.flop)}};
}

}  // namespace gapkit::apps
