#pragma once

#include <gapkit/config/config.hpp>

#include "progress_display.hpp"

namespace gapkit::apps {

/// Fits with checkpoints; after a signal, Interrupted says how to continue.
FitResult fit_interruptibly(const FitData& data, const FitConfiguration& options, ProgressDisplay& display);

}  // namespace gapkit::apps
