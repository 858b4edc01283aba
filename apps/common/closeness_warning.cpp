#include "closeness_warning.hpp"

#include <fmt/format.h>

namespace gapkit::apps {

void ClosenessWarning::look_at(const std::string& frame, const Closeness& closeness) {
  ++frames_;
  if (!closeness.too_close) return;
  const CloseAtoms& atoms = *closeness.too_close;
  if (close_++ > 0 && atoms.distance / atoms.radii >= worst_.distance / worst_.radii) return;
  worst_ = atoms;
  worst_frame_ = frame;
}

std::string ClosenessWarning::text() const {
  return fmt::format(
      "{} of {} frames have atoms too close to each other for a prediction; worst: {}: {}; correct the structure (units, cell, pbc), or "
      "add "
      "such structures to the training data",
      close_, frames_, worst_frame_, worst_.text());
}

}  // namespace gapkit::apps
