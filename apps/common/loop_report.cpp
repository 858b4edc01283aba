#include "loop_report.hpp"

#include <fmt/format.h>

#include <cmath>

namespace gapkit::apps {
namespace {

/// "-" for NaN.
std::string number(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, digits) : "-";
}

}  // namespace

std::string loop_heading(const LoopOptions& options) {
  const std::string unit = quantity_unit(options.threshold.quantity);
  return fmt::format("{:>5} {:>6} {:>6} {:>7} {:>8} {:>8}  {:>9} {:>9} {:>8} {:>6} {:>6}  {:>8} {:>7}\n", "round", "labels", "frames",
                     "sparse", "E RMSE", "F RMSE", "threshold", "largest", "proposed", "chosen", "failed", "F RMSE", "time") +
         fmt::format("{:>5} {:>6} {:>6} {:>7} {:>8} {:>8}  {:>9} {:>9} {:>8} {:>6} {:>6}  {:>8} {:>7}\n", "", "", "", "points", "meV/atom",
                     "eV/Å", unit, unit.empty() ? "grade" : "std " + unit, "", "", "", "new", "s");
}

std::string loop_row(const RoundSummary& r) {
  return fmt::format("{:>5} {:>6} {:>6} {:>7} {:>8} {:>8}  {:>9} {:>9} {:>8} {:>6} {:>6}  {:>8} {:>7}\n", r.round, r.labels, r.frames,
                     r.sparse_points, number(r.rmse[Property::energy], 2), number(r.rmse[Property::force], 4), number(r.threshold, 4),
                     number(r.largest_std, 4), r.proposed, r.chosen, r.failed, number(r.label_force_rmse, 4), number(r.seconds, 1));
}

}  // namespace gapkit::apps
