#pragma once

#include <gapkit/fit/options.hpp>

#include "fit/findings.hpp"

namespace gapkit {

/// Examines a frame for the long-range parts of a fit: elements and columns that they need, and charges that do not sum to the total charge
/// of the frame.
void check_long_range(const FitOptions& options, const Structure& s, Findings& findings);

}  // namespace gapkit
