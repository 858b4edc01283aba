#include "closeness_warning.hpp"

#include <fmt/format.h>

#include "run_main.hpp"

namespace gapkit::apps {

void ClosenessWarning::Found::add(const std::string& frame, const std::optional<CloseAtoms>& pair) {
  if (frames++ == 0) worst_frame = frame;
  if (!pair) return;
  if (with_pair++ > 0 && pair->distance / pair->radii >= worst.distance / worst.radii) return;
  worst = *pair;
  worst_frame = frame;
}

void ClosenessWarning::look_at(const std::string& frame, const Closeness& closeness, bool is_finite) {
  ++frames_;
  if (!is_finite)
    not_finite_.add(frame, closeness.too_close);
  else if (closeness.too_close)
    close_.add(frame, closeness.too_close);
}

std::string ClosenessWarning::text() const {
  return fmt::format(
      "{} of {} frames have atoms too close to each other for a prediction; worst: {}: {}; correct the structure (units, cell, pbc), or "
      "add such structures to the training data",
      close_.frames, frames_, close_.worst_frame, close_.worst.text());
}

std::string ClosenessWarning::not_finite_text(const std::string& consequence) const {
  if (not_finite_.frames == 0) return "";
  return fmt::format(
      "{} of {} frames have no finite energy, forces or error bars: {}; worst: {}{}; correct the structure (units, cell, pbc)",
      not_finite_.frames, frames_, consequence, not_finite_.worst_frame, not_finite_.with_pair > 0 ? ": " + not_finite_.worst.text() : "");
}

void ClosenessWarning::finish(ProgressDisplay& display, const std::string& consequence) const {
  if (not_finite_.frames == 0) return;
  display.warning(not_finite_text(consequence));
  throw FailureWasSaid{exit_numerical_failure};
}

}  // namespace gapkit::apps
